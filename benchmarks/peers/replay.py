"""The ceiling of all loaders: a few ready batches, copied in turn to where a trainer takes them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice

import torch
from torchvision.datasets import ImageFolder

from benchmarks.job import Job
from benchmarks.loading import long_epoch
from benchmarks.recipes import torchvision_transform
from benchmarks.worker import Window

VERSION = f"torch {torch.__version__}"
KEPT = 4


def load(job: Job) -> Window:
    """As many batches as a loader gives in ``job.passes``; nothing is read, decoded or resized."""
    # Waiting for another thread takes longer than the copy.
    torch.set_num_threads(1)
    loader = long_epoch(ImageFolder(job.photos, torchvision_transform(job.recipe)), job)
    ready = list(islice(loader, KEPT))
    taken = [torch.empty_like(part) for part in ready[0]]

    def window() -> Iterator[int]:
        for batch in islice(cycle(ready), len(loader)):
            # The least that a loader does: it writes its batch once.
            for place, part in zip(taken, batch, strict=True):
                place.copy_(part)
            yield len(batch[0])

    return window
