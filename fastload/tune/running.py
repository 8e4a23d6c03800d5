"""One window: a loader made anew, warmed up past its queue, and timed for a while."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastload.measure import memory, processor_time
from fastload.tune.settings import FolderSettings, Settings
from fastload.tune.trial import Window
from fastload.tune.waiting import finish_gpu_work

__all__ = ["Pace", "leave_alone", "run_window"]

_LEAST = 4
# A window of large batches, or of a slow loader, lasts no longer than so many times its seconds.
_LONGEST = 4


def leave_alone(batch: Any) -> None:
    """What is done with a batch where the user gave no step: nothing."""


@dataclass(frozen=True)
class Pace:
    """How long a window is.

    Attributes:
        batch_size: images a batch.
        queue: batches that may have been made before the first was asked for.
        turn: workers hand over their batches in turn, and often several at once: a window has
            whole turns, so that it is not cut where none or all of them have.
        seconds: the least; there are four batches at least, too.

    >>> Pace.of(FolderSettings(3, 2), 128, 2.0)
    Pace(batch_size=128, queue=6, turn=3, seconds=2.0)
    """

    batch_size: int
    queue: int
    turn: int
    seconds: float

    @classmethod
    def of(cls, settings: Settings, batch_size: int, seconds: float) -> Pace:
        """The pace of a setting."""
        workers = settings.num_workers if isinstance(settings, FolderSettings) else 1
        return cls(batch_size, settings.queue, max(1, workers), seconds)

    def is_over(self, batches: int, passed: float) -> bool:
        """Whether a window of so many batches and seconds is long enough."""
        if passed >= _LONGEST * self.seconds:
            return True
        return passed >= self.seconds and batches >= _LEAST and batches % self.turn == 0


def run_window(
    make: Callable[[], Iterable[Any]],
    pace: Pace,
    step: Callable[[Any], object] = leave_alone,
    clock: Callable[[], float] = time.perf_counter,
) -> Window:
    """Make a loader, take batches, and close it again.

    Args:
        make: the loader; it does not end.
        pace: how long.
        step: called with each batch.
        clock: tells the seconds.
    """
    own = os.getpid()
    before = memory.of_tree(own)
    start = clock()
    loader = make()
    batches = iter(loader)
    try:
        batch = next(batches)
        first_batch = clock() - start
        step(batch)
        _warm_up(batches, pace, step, clock)
        worked, start = processor_time.of_tree(own), clock()
        done = _take(batches, pace, step, clock)
        seconds = clock() - start
        worked = processor_time.of_tree(own) - worked
        used = memory.of_tree(own).beyond(before).anonymous
    finally:
        # torch's workers end with their iterator, fastload's threads when their loader is closed.
        del batches
        close = getattr(loader, "close", None)
        if close is not None:
            close()
    return Window(done * pace.batch_size, seconds, first_batch, worked, max(0, used))


def _warm_up(
    batches: Iterator[Any],
    pace: Pace,
    step: Callable[[Any], object],
    clock: Callable[[], float],
) -> None:
    """Take what was made while nobody asked for it, and a turn more."""
    start = clock()
    for _ in range(pace.queue + pace.turn):
        step(next(batches))
        if clock() - start >= _LONGEST * pace.seconds:
            break
    finish_gpu_work()


def _take(
    batches: Iterator[Any],
    pace: Pace,
    step: Callable[[Any], object],
    clock: Callable[[], float],
) -> int:
    """Take batches until the window is over, and return how many."""
    start, done = clock(), 0
    while not pace.is_over(done, clock() - start):
        step(next(batches))
        done += 1
    finish_gpu_work()
    return done
