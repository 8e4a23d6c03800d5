"""Windows over loaders of images and labels, and torch's own loader as the peers use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from torch.utils.data import DataLoader, Dataset, RandomSampler, Sampler

from benchmarks.job import SIDE, Job
from benchmarks.worker import Window


def passes_of(loader: Iterable[Any]) -> Window:
    """One window is one pass of the loader, which gives images and labels in pairs."""

    def window() -> Iterator[int]:
        for images, labels in loader:
            check(images, labels)
            yield len(images)

    return window


def check(images: Any, labels: Any) -> None:
    """Look at a batch from outside: a label for each image, and images of the asked size.

    Raises:
        ValueError: it is something else.

    """
    if len(labels) != len(images) or sorted(images.shape[1:]) != [3, SIDE, SIDE]:
        raise ValueError(f"a batch of {tuple(images.shape)} with {len(labels)} labels")


def long_epoch(
    dataset: Dataset[Any],
    job: Job,
    *,
    sampler: Sampler[int] | None = None,
    loader: type[DataLoader[Any]] = DataLoader,
    **arguments: Any,
) -> Any:
    """A loader over one long epoch of ``job.passes`` permutations: its ends weigh little.

    Its workers are kept between epochs.

    Args:
        dataset: what is loaded.
        job: how.
        sampler: in place of the permutations.
        loader: torch's, or one that takes its place.
        arguments: more for the loader.

    """
    permutations = RandomSampler(dataset, num_samples=job.passes * len(dataset))
    return loader(
        dataset,
        job.batch,
        sampler=permutations if sampler is None else sampler,
        num_workers=job.threads,
        persistent_workers=job.threads > 0,
        drop_last=True,
        **arguments,
    )
