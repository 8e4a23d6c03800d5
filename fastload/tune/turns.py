"""What lies between two epochs of torch's loader: workers that start anew, or live on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from fastload.tune.search import NEAR

__all__ = ["Turn", "measure_turn"]

_ROUNDS = 2


@dataclass(frozen=True)
class Turn:
    """Seconds from the end of an epoch to the first batch of the next: medians.

    Attributes:
        anew: with worker processes that are started for it.
        kept: with those of the epoch before (``persistent_workers=True``).
        epoch: seconds of an epoch of the whole dataset, as measured between its ends.

    >>> Turn(anew=0.5, kept=0.3, epoch=1.5).saved, Turn(0.5, 0.3, 1.5).worth_keeping
    (0.1, True)
    """

    anew: float
    kept: float
    epoch: float

    @property
    def saved(self) -> float:
        """Part of an epoch's time that is saved where workers live on."""
        return (self.anew - self.kept) / (self.anew + self.epoch)

    @property
    def worth_keeping(self) -> bool:
        """Whether that is more than what a smaller setting may cost."""
        return self.saved > NEAR

    def as_dict(self) -> dict[str, Any]:
        """The same, as JSON takes it."""
        return {**asdict(self), "saved": self.saved}


def measure_turn(
    make: Callable[[bool], Iterable[Any]],
    epoch: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Turn:
    """Measure both ways in turns.

    Args:
        make: a loader of a short epoch, its workers living on or not.
        epoch: seconds of an epoch of the whole dataset.
        clock: tells the seconds.
    """
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(_ROUNDS):
        for kept, measured in seconds.items():
            loader = make(kept)
            for _batch in loader:
                pass
            start = clock()
            following = iter(loader)
            next(following)
            measured.append(clock() - start)
            del following, loader
    return Turn(median(seconds[False]), median(seconds[True]), epoch)
