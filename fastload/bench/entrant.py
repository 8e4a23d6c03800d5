"""What takes part in a measurement on a folder: a loader that is made in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

__all__ = ["Entrant", "batches_of", "fill_cache", "loader_of"]

# Batches that the replay hands out again and again.
_REPLAYED = 8
# A cache that has seen an image twice may keep its samples in place of its coefficients.
_FILLING_EPOCHS = 2


@dataclass(frozen=True)
class Entrant:
    """A loader to be measured.

    Attributes:
        label: its name within the suite.
        peer: whose it is.
        title: how a reader calls it.
        form: what it reads, in words.
        path: the label folder or the pack.
        batch: images a batch.
        samples: of an epoch: so many that a window does not come to its end.
        arguments: of the ``DataLoader``.
        fills: its cache is filled first.
        replays: it hands out copies of batches in memory: what no loader can be faster than.
    """

    label: str
    peer: str
    title: str
    form: str
    path: str
    batch: int
    samples: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fills: bool = False
    replays: bool = False

    @property
    def workers(self) -> int:
        """Worker processes or threads."""
        return int(self.arguments["num_workers"])

    @property
    def ahead(self) -> int:
        """Batches that may lie ready when a window begins."""
        queues = self.workers if self.peer == "imagefolder" else 1
        return queues * int(self.arguments.get("prefetch_factor") or 2) + self.workers


def loader_of(entrant: Entrant, transform: Any) -> Any:
    """The ``DataLoader``: torch's over a folder, fastload's over a pack; both draw alike."""
    from torch.utils import data
    from torchvision import datasets

    import fastload

    ours = entrant.peer != "imagefolder"
    folder = fastload.ImageFolder if ours else datasets.ImageFolder
    loader = fastload.DataLoader if ours else data.DataLoader
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
    import fastload

    dataset = fastload.ImageFolder(entrant.path, transform)
    loader = fastload.DataLoader(
        dataset, batch_size=entrant.batch, shuffle=True, **entrant.arguments
    )
    for _ in range(_FILLING_EPOCHS):
        for _batch in loader:
            pass


def batches_of(entrant: Entrant, loader: Any) -> Iterator[Any]:
    """Batches without end."""
    if entrant.replays:
        kept = list(islice(loader, _REPLAYED))
        while True:
            for batch in kept:
                yield _copied(batch)
    while True:
        yield from loader


def _copied(batch: Any) -> Any:
    """A batch in memory of its own, as each one of a loader is."""
    import torch

    if isinstance(batch, torch.Tensor):
        return batch.clone()
    if isinstance(batch, Mapping):
        return {name: _copied(value) for name, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return [_copied(value) for value in batch]
    return batch
