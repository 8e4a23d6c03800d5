"""LitData: chunks of samples, read in whole by its StreamingDataLoader."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

from litdata import StreamingDataLoader, StreamingDataset, optimize
from torch import Tensor
from torchvision.datasets import ImageFolder

from benchmarks.job import Job
from benchmarks.loading import passes_of
from benchmarks.recipes import FromBytes
from benchmarks.worker import Window

VERSION = f"LitData {version('litdata')}"


def sample_of(path_and_label: tuple[str, int]) -> tuple[bytes, int]:
    path, label = path_and_label
    return Path(path).read_bytes(), label


def decoded(image_of: FromBytes, sample: tuple[bytes, int]) -> tuple[Tensor, int]:
    image, label = sample
    return image_of(image), label


def load(job: Job) -> Window:
    """One window is one epoch of ``job.passes`` times all chunks."""
    dataset = StreamingDataset(
        job.packed,
        shuffle=True,
        drop_last=True,
        subsample=float(job.passes),
        transform=partial(decoded, FromBytes(job.recipe)),
    )
    return passes_of(
        StreamingDataLoader(
            dataset,
            batch_size=job.batch,
            num_workers=job.threads,
            persistent_workers=job.threads > 0,
            drop_last=True,
        )
    )


def pack(job: Job) -> Window:
    """One window writes the whole folder."""
    samples = ImageFolder(job.photos).samples

    def window() -> Iterator[int]:
        optimize(
            sample_of,
            samples,
            job.packed,
            chunk_bytes="64MB",
            num_workers=job.threads,
            verbose=False,
        )
        yield len(samples)

    return window
