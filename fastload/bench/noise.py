"""Whether two runs' rounds differ by more than chance.

The interval of a ratio is Moses': all ratios of a round of the one run and a round of the other are
sorted, and as many are cut off at each end as the Mann-Whitney test allows (Hollander, Wolfe,
Chicken, "Nonparametric Statistical Methods", 4.3, on logarithms). Nothing is supposed of how noise
is distributed, and one slow round does not decide. With five rounds each, the interval reaches
from the slowest of the one by the fastest of the other to the opposite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import comb
from statistics import median

__all__ = ["LEVEL", "Ratio", "ratio_of"]

LEVEL = 0.01
"""Of comparisons in which nothing has changed, so many at most are flagged."""


@dataclass(frozen=True)
class Ratio:
    """How many times as large the figures of one run are as those of another.

    Attributes:
        value: of the medians.
        low: where its interval begins.
        high: where it ends.
        enough: whether there are rounds enough to tell a change from chance at all.

    >>> ratio_of([9.0, 10.0, 11.0, 10.0, 10.0], [19.0, 20.0, 21.0, 20.0, 22.0]).changed
    1
    >>> ratio_of([9.0, 10.0], [19.0, 20.0]).enough
    False
    """

    value: float
    low: float
    high: float
    enough: bool

    @property
    def changed(self) -> int:
        """1 where they are larger beyond the noise, -1 where they are smaller, else 0."""
        if not self.enough or self.low <= 1 <= self.high:
            return 0
        return 1 if self.low > 1 else -1


def ratio_of(before: Sequence[float], after: Sequence[float]) -> Ratio:
    """The ratio of what came after to what was before, with its interval.

    Args:
        before: figures of the rounds of one run, all above 0.
        after: those of the other.
    """
    ratios = sorted(one / other for one in after for other in before)
    cut = _cut(len(before), len(after))
    return Ratio(
        median(after) / median(before),
        ratios[max(0, cut - 1)],
        ratios[-max(1, cut)],
        enough=cut > 0,
    )


def _cut(one: int, other: int) -> int:
    """Which ratio from either end bounds the interval, 1 for the outermost; 0 where none does."""
    allowed = LEVEL / 2 * comb(one + other, one)
    orders, statistic = 0, 0
    while (orders := orders + _orders(one, other, statistic)) <= allowed:
        statistic += 1
    return statistic


@cache
def _orders(one: int, other: int, statistic: int) -> int:
    """In how many orders of both samples the Mann-Whitney statistic has this value.

    >>> [_orders(2, 2, statistic) for statistic in range(5)]
    [1, 1, 2, 1, 1]
    """
    if statistic < 0:
        return 0
    if not one or not other:
        return int(statistic == 0)
    return _orders(one - 1, other, statistic - other) + _orders(one, other - 1, statistic)
