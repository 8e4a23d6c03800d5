"""fastload with records that have no entropy coding."""

from __future__ import annotations

from collections.abc import Generator

from benchmarks.job import Job
from benchmarks.loading import passes_of
from benchmarks.peers import fastload
from benchmarks.peers.fastload import VERSION as VERSION
from benchmarks.worker import Window


def load(job: Job) -> Window:
    """From the pack alone: what the system keeps of its file is all that is kept."""
    return passes_of(fastload.loader_of(job, cache=0))


def coefficients(job: Job) -> Window:
    """Of a pass of the loader, what unpacking and inverse DCT take: no upsampling, no colours."""
    loader = fastload.loader_of(job, cache=0)

    def window() -> Generator[int, None, float]:
        for images, _labels in loader:
            yield len(images)
        work = loader.stats().work
        return work.entropy + work.inverse_dct

    return window


def pack(job: Job) -> Window:
    """One window packs the whole folder, losslessly."""
    return fastload.packing(job, codec="dct")
