"""Where a pass's time goes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from fastload.engines.cache import CacheFacts
from fastload.engines.pool import JobFacts

__all__ = ["LoaderStats", "Progress"]


@dataclass(frozen=True)
class LoaderStats:
    """What one pass of a loader has done so far, or did.

    Attributes:
        epoch: of the pass; -1 before the first one.
        images: delivered.
        seconds: since it began, or that it took.
        wait: seconds in which the consumer waited for a batch.
        threads: how many computed.
        work: where the threads' time went, and what came from the cache.
        cache_bytes: what the process's cache takes now.
        cache_budget: what it may take.
    """

    epoch: int
    images: int
    seconds: float
    wait: float
    threads: int
    work: JobFacts
    cache_bytes: int
    cache_budget: int

    @property
    def images_per_second(self) -> float:
        """Images delivered a second, the consumer's own time included."""
        return self.images / self.seconds if self.seconds else 0.0

    @property
    def hits(self) -> float:
        """Part of the images of which the cache had all that was needed, 0 to 1."""
        return self.work.kept / self.images if self.images else 0.0

    def __str__(self) -> str:
        work = self.work
        stages = {
            "read": work.read,
            "entropy": work.entropy,
            "inverse DCT": work.inverse_dct,
            "colour": work.colour,
            "resize": work.resize,
            "rest": work.rest,
        }
        spent = ", ".join(f"{name} {seconds:.2f}" for name, seconds in stages.items())
        return (
            f"epoch {self.epoch}: {self.images:,} images in {self.seconds:.2f} s, "
            f"{self.images_per_second:,.0f} a second; waited for {self.wait:.2f} s\n"
            f"cache: {self.hits:.0%} of the images, "
            f"{self.cache_bytes / 1e6:,.0f} of {self.cache_budget / 1e6:,.0f} MB; "
            f"{work.bytes / 1e6:,.0f} MB from the pack\n"
            f"seconds of {self.threads} threads: {spent}"
        )


class Progress:
    """Counts what one pass does.

    Args:
        epoch: of the pass.
    """

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._start = time.monotonic()
        self._end: float | None = None
        self._images = 0
        self._wait = 0.0
        self._work = JobFacts()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time within as the consumer's waiting."""
        start = time.monotonic()
        try:
            yield
        finally:
            self._wait += time.monotonic() - start

    def add(self, images: int, work: JobFacts) -> None:
        """Count a batch that is delivered."""
        self._images += images
        self._work += work

    def end(self) -> None:
        """The pass is over; a second time does nothing."""
        if self._end is None:
            self._end = time.monotonic()

    def stats(self, threads: int, cache: CacheFacts | None) -> LoaderStats:
        """The sum of it."""
        seconds = (self._end or time.monotonic()) - self._start if self._epoch >= 0 else 0.0
        return LoaderStats(
            epoch=self._epoch,
            images=self._images,
            seconds=seconds,
            wait=self._wait,
            threads=threads,
            work=self._work,
            cache_bytes=0 if cache is None else cache.bytes,
            cache_budget=0 if cache is None else cache.budget,
        )
