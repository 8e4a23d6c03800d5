"""fastload's native engine: the loader of ``imagefolder.py``, two names changed; packer; resize."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from torch.utils.data import RandomSampler

import fastload
from benchmarks.crops import read_crops
from benchmarks.hashes import hashes_with_families
from benchmarks.job import SIDE, Job
from benchmarks.recipes import torchvision_transform
from benchmarks.worker import Window
from fastload.duplicates import DISTANCE
from fastload.duplicates.near import CORRELATION
from fastload.native import library

VERSION = f"fastload {fastload.__version__}"
BILINEAR = 2
HASHES_OF_A_PASS = 100_000


def loader_of(job: Job, cache: str | int) -> fastload.DataLoader:
    """A loader whose pass is one long epoch over ``job.passes`` permutations, as ImageFolder's."""
    dataset = fastload.ImageFolder(job.packed, torchvision_transform(job.recipe))
    return fastload.DataLoader(
        dataset,
        job.batch,
        sampler=RandomSampler(dataset, num_samples=job.passes * len(dataset)),
        num_workers=job.threads,
        persistent_workers=job.threads > 0,
        drop_last=True,
        cache=cache,
    )


def passes_of(loader: fastload.DataLoader) -> Window:
    """One window is one pass of the loader."""

    def window() -> Iterator[int]:
        for images, _labels in loader:
            yield len(images)

    return window


def load(job: Job) -> Window:
    """Every image is decoded anew."""
    return passes_of(loader_of(job, cache=0))


def pack(job: Job) -> Window:
    """One window packs the whole folder, losslessly."""
    return packing(job, codec="jpeg")


def packing(job: Job, codec: str) -> Window:
    """One window packs the whole folder with a codec."""
    count = sum(1 for file in Path(job.photos).rglob("*") if file.is_file())

    def window() -> Iterator[int]:
        fastload.pack(job.photos, job.packed, workers=job.threads, codec=codec)
        yield count

    return window


def resize(job: Job) -> Window:
    """One window resizes every crop ``job.passes`` times through the library's C door."""
    crops = read_crops(job.crops)

    def window() -> Iterator[int]:
        for _ in range(job.passes):
            for crop in crops:
                library.resize(crop, SIDE, SIDE, BILINEAR)
            yield len(crops)

    return window


def duplicates(job: Job) -> Window:
    """One window groups ``job.passes`` times 100,000 hashes, those alone told apart first."""
    hashes, pictures = hashes_with_families(job.passes * HASHES_OF_A_PASS)

    def window() -> Iterator[int]:
        near = library.mark_near(hashes, DISTANCE, job.threads)
        library.group_near(hashes[near], pictures[near], DISTANCE, CORRELATION, job.threads)
        yield len(hashes)

    return window
