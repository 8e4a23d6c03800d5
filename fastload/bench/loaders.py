"""An entrant's loader and its batches; importing this imports all that they need."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch.utils import data
from torchvision import datasets

from fastload.bench.entrant import Entrant
from fastload.dataset import ImageFolder
from fastload.delivery import with_tensors
from fastload.loader import DataLoader

__all__ = ["batches_of", "fill_cache", "loader_of"]

# Batches that the replay hands out again and again.
_REPLAYED = 8
# A cache that has seen an image twice may keep its samples in place of its coefficients.
_FILLING_EPOCHS = 2


def loader_of(entrant: Entrant, transform: Any) -> Any:
    """The ``DataLoader``: torch's over a folder, fastload's over a pack; both draw alike."""
    ours = entrant.peer != "imagefolder"
    folder = ImageFolder if ours else datasets.ImageFolder
    loader = DataLoader if ours else data.DataLoader
    dataset: Any = folder(entrant.path, transform)
    return loader(
        dataset,
        batch_size=entrant.batch,
        sampler=data.RandomSampler(dataset, num_samples=entrant.samples),
        drop_last=True,
        **entrant.arguments,
    )


def fill_cache(entrant: Entrant, transform: Any) -> None:
    """Load all images twice, by a loader of the same transform; the process has one cache."""
    dataset = ImageFolder(entrant.path, transform)
    loader = DataLoader(dataset, batch_size=entrant.batch, shuffle=True, **entrant.arguments)
    for _ in range(_FILLING_EPOCHS):
        for _batch in loader:
            pass


def batches_of(entrant: Entrant, loader: Any) -> Iterator[Any]:
    """Batches without end."""
    if entrant.replays:
        # Threads that wait for one another take longer than the copying.
        torch.set_num_threads(1)
        kept = list(islice(loader, _REPLAYED))
        while True:
            for batch in kept:
                # In memory of its own, as each one of a loader is.
                yield with_tensors(batch, torch.Tensor.clone)
    while True:
        yield from loader
