"""Windows over loaders of images and labels, and torch's own loader as the peers use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler

from benchmarks.job import Job
from benchmarks.worker import Window


def passes_of(loader: Iterable[tuple[Any, Any]]) -> Window:
    """One window is one pass of the loader."""

    def window() -> Iterator[int]:
        for images, _labels in loader:
            yield len(images)

    return window


def long_epoch(dataset: Dataset[Any], job: Job, **arguments: Any) -> DataLoader[list[Tensor]]:
    """Torch's loader over one long epoch of ``job.passes`` permutations: its ends weigh little.

    Its workers are kept between epochs.
    """
    return DataLoader(
        dataset,
        job.batch,
        sampler=RandomSampler(dataset, num_samples=job.passes * len(dataset)),
        num_workers=job.threads,
        persistent_workers=job.threads > 0,
        drop_last=True,
        **arguments,
    )
