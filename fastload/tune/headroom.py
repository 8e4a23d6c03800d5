"""How fast the user's step is by itself: what no loader can be faster than."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import Any

from fastload.tune.waiting import finish_gpu_work

__all__ = ["REACHED", "Headroom", "replay"]

REACHED = 0.97
"""A loader that lets the step run at this part of its own speed is no bottleneck."""

_WARM_UP, _LEAST = 3, 3


@dataclass(frozen=True)
class Headroom:
    """The step with batches that are there already.

    Attributes:
        images_per_second: with a few batches in memory, again and again.
        batches: how many of them ran while the clock did.
    """

    images_per_second: float
    batches: int

    def as_dict(self) -> dict[str, Any]:
        """The same, as JSON takes it."""
        return asdict(self)


def replay(
    step: Callable[[Any], object],
    batches: Sequence[Any],
    batch_size: int,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Headroom:
    """Run the step on the same batches for a while.

    Args:
        step: the user's; takes a batch.
        batches: at least one.
        batch_size: images of each.
        seconds: at least so long, and three batches.
        clock: tells the seconds.
    """
    coming = cycle(batches)
    for _ in range(_WARM_UP):
        step(next(coming))
    finish_gpu_work()
    start, done, passed = clock(), 0, 0.0
    while done < _LEAST or passed < seconds:
        step(next(coming))
        done += 1
        passed = clock() - start
    finish_gpu_work()
    return Headroom(done * batch_size / (clock() - start), done)
