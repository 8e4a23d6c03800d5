"""The search: which settings are measured, in which order, and which one is taken.

Numbers of workers are doubled while that helps, and halved into from both sides of the best; then
everything else is varied at that number; what came near the best is measured again, in turns. All
of it is a matter of figures alone: where they come from is ``Trials``' business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastload.tune.settings import Settings
from fastload.tune.trial import Trial
from fastload.tune.trials import Trials

__all__ = ["NEAR", "Axis", "Space", "search", "smallest_near_best"]

NEAR = 0.03
"""So much slower than the fastest may be what is smaller."""

# Between two numbers of workers, the number in the middle is tried; three times is enough for the
# knee of any curve to within an eighth.
_HALVINGS = 3
# A single window is off by some per cent: all that may be the best is measured again.
_DOUBT = 0.08
_FASTEST, _SMALLEST = 2, 2
# One doubling that brings nothing may be such a window, or a step of the curve; two are its end.
_IN_VAIN = 2
_ROUNDS = 2


@dataclass(frozen=True)
class Axis:
    """A field that is varied once the number of workers is found.

    Attributes:
        field: its name in the settings.
        values: what to try.
        climbs: whether the next value is tried only where the one before was faster.
        saves: whether the values make settings smaller: they are tried also where what was found
            is fast enough.
    """

    field: str
    values: Sequence[Any]
    climbs: bool = False
    saves: bool = False


@dataclass(frozen=True)
class Space:
    """What may be tried.

    Attributes:
        start: the setting to begin with.
        most: the largest number of workers.
        axes: what else is varied, in this order.
    """

    start: Settings
    most: int
    axes: Sequence[Axis] = ()


def search(trials: Trials, space: Space, enough: float | None = None) -> Trial:
    """Find the smallest setting within 3 % of the fastest.

    Args:
        trials: measures.
        space: what may be tried.
        enough: images/s with which nothing faster is looked for.

    Returns:
        The choice. All that was measured is in ``trials``.
    """
    choice = _searched(trials, space, enough)
    if enough is None or choice.images_per_second >= enough:
        return choice
    # A single window may have flattered: then all that was left out is looked at, too.
    flattered = any(max(trial.rates, default=0.0) >= enough for trial in trials.all)
    return _searched(trials, space, None) if flattered else choice


def _searched(trials: Trials, space: Space, enough: float | None) -> Trial:
    best = _refined(trials, _climbed(trials, space, enough), enough)
    for axis in space.axes:
        if axis.saves or not _reached(trials.rate(best), enough):
            best = _varied(trials, best, axis, enough)
    _measure_again(trials, enough)
    return smallest_near_best(trials.all, enough)


def smallest_near_best(trials: Sequence[Trial], enough: float | None = None) -> Trial:
    """The smallest setting that is fast enough, or else within 3 % of the fastest.

    Where some were measured several times, the others are out of the running.
    """
    rounds = min(1 + _ROUNDS, max(len(trial.windows) for trial in trials))
    finalists = [trial for trial in trials if len(trial.windows) >= rounds]
    floor = _floor(max(trial.images_per_second for trial in finalists), enough)
    return min(
        (trial for trial in finalists if trial.images_per_second >= floor),
        key=lambda trial: trial.settings.size,
    )


def _floor(top: float, enough: float | None) -> float:
    """How fast a setting has to be to be taken."""
    return enough if enough is not None and top >= enough else (1 - NEAR) * top


def _reached(rate: float, enough: float | None) -> bool:
    return enough is not None and rate >= enough


def _doubled(least: int, most: int) -> Iterator[int]:
    """Numbers of workers, ending with the most.

    >>> list(_doubled(0, 6)), list(_doubled(1, 1))
    ([0, 1, 2, 4, 6], [1])
    """
    if least == 0:
        yield 0
    workers = max(1, least)
    while workers < most:
        yield workers
        workers *= 2
    if most:
        yield most


def _climbed(trials: Trials, space: Space, enough: float | None) -> Settings:
    """Double the workers until that is of no use, and return the best."""
    best, in_vain = space.start, 0
    for workers in _doubled(space.start.num_workers, space.most):
        tried = replace(space.start, num_workers=workers)
        rate, top = trials.rate(tried), trials.rate(best)
        if rate > top:
            best = tried
        # One worker is not always faster than none: what it makes has to come over to here.
        in_vain = 0 if workers <= 1 or rate > (1 + NEAR) * top else in_vain + 1
        falls = workers > 1 and rate < (1 - _DOUBT) * top
        if _reached(rate, enough) or falls or in_vain == _IN_VAIN:
            break
    return best


def _refined(trials: Trials, best: Settings, enough: float | None) -> Settings:
    """Try numbers of workers between those that were tried."""
    for _ in range(_HALVINGS):
        tried = {trial.settings.num_workers: trial for trial in trials.all}
        best = smallest_near_best(list(tried.values()), enough).settings
        refused = {refusal.settings.num_workers for refusal in trials.refused}
        numbers = sorted({*tried, *refused})
        middle = _middle(numbers, best.num_workers, _reached(trials.rate(best), enough))
        if middle is None:
            break
        trials.rate(replace(best, num_workers=middle))
    return smallest_near_best(trials.all, enough).settings


def _middle(asked: Sequence[int], best: int, only_below: bool) -> int | None:
    """A number of workers in the gap beside the best one; None where there is no gap.

    >>> _middle([0, 1, 2, 4, 8], 4, False), _middle([1, 2, 3, 4, 8], 4, False)
    (3, 6)
    >>> _middle([1, 2, 3, 4, 8], 4, True), _middle([1, 2], 2, False)
    (None, None)
    """
    below = [workers for workers in asked if workers < best]
    if below and best - below[-1] > 1:
        return (best + below[-1]) // 2
    above = [workers for workers in asked if workers > best]
    if above and above[0] - best > 1 and not only_below:
        return (best + above[0]) // 2
    return None


def _varied(trials: Trials, best: Settings, axis: Axis, enough: float | None) -> Settings:
    among, last = [best], trials.rate(best)
    for value in axis.values:
        varied = replace(best, **{axis.field: value})
        if varied.arguments() == best.arguments():
            continue  # without workers, nothing is prefetched
        rate = trials.rate(varied)
        among.append(varied)
        if axis.climbs and rate <= (1 + NEAR) * last:
            break
        last = rate
    measured = [trial for trial in trials.all if trial.settings in among]
    return smallest_near_best(measured, enough).settings


def _measure_again(trials: Trials, enough: float | None) -> None:
    """Two more rounds of all that may be the choice, the second one backwards."""
    floor = _floor(max(trial.images_per_second for trial in trials.all), enough)
    near = [trial for trial in trials.all if trial.images_per_second >= (1 - _DOUBT) * floor]
    fastest = sorted(near, key=lambda trial: -trial.images_per_second)
    smallest = sorted(near, key=lambda trial: trial.settings.size)
    others = [
        trial for trial in fastest if trial.settings.num_workers != fastest[0].settings.num_workers
    ]
    finalists = (*fastest[:_FASTEST], *smallest[:_SMALLEST], *others[:1])
    turns = list(dict.fromkeys(trial.settings for trial in finalists))
    for number in range(_ROUNDS):
        for settings in turns if number % 2 else reversed(turns):
            trials.measure(settings)
