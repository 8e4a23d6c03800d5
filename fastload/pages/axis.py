"""From values to places along an axis: scales, ticks and the words beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Scale", "number_words", "powers_around", "short_words"]

# Steps between ticks, times a power of ten.
_STEPS = (1, 2, 2.5, 5, 10)
# From here on, a tick's number is written as thousands, millions and so on.
_LONG = 10_000


@dataclass(frozen=True)
class Scale:
    """An axis from ``low`` to ``high``.

    Attributes:
        low: the value at its beginning.
        high: the value at its end.
        log: equal factors, not equal differences, are equally far apart.
    """

    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Where a value lies, from 0 to 1; beyond an end it lies at the end.

        >>> Scale(0, 10).share(5), Scale(1, 100, log=True).share(10), Scale(0, 10).share(-3)
        (0.5, 0.5, 0.0)
        >>> Scale(7, 7).share(7)
        0.5
        """
        low, high, at = (self._moved(number) for number in (self.low, self.high, value))
        if low == high:
            return 0.5
        return min(1.0, max(0.0, (at - low) / (high - low)))

    def _moved(self, value: float) -> float:
        return math.log(value) if self.log else value

    def ticks(self, most: int) -> list[float]:
        """Round numbers on the axis, ``most`` at most.

        >>> Scale(0, 870).ticks(5), Scale(3, 20_000, log=True).ticks(5)
        ([0.0, 250.0, 500.0, 750.0], [10.0, 100.0, 1000.0, 10000.0])
        """
        return self._powers(most) if self.log else self._multiples(most)

    def _powers(self, most: int) -> list[float]:
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        step = math.ceil((last - first + 1) / most)
        return [10.0**power for power in range(first, last + 1, step)]

    def _multiples(self, most: int) -> list[float]:
        if self.low == self.high:
            return [self.low]
        rough = (self.high - self.low) / max(1, most - 1)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]

    def kept_apart(self, values: Sequence[float], least: float) -> list[float]:
        """Those of the values, ascending, that lie ``least`` of the axis or more apart.

        >>> Scale(0, 10).kept_apart([10, 0, 0.1, 5], 0.1)
        [0, 5, 10]
        """
        kept: list[float] = []
        for value in sorted(set(values)):
            if not kept or self.share(value) - self.share(kept[-1]) >= least:
                kept.append(value)
        return kept


def powers_around(values: Sequence[float]) -> Scale:
    """The logarithmic axis between two powers of ten that has room for all of the values.

    >>> powers_around([30, 2000]), powers_around([100])
    (Scale(low=10.0, high=10000.0, log=True), Scale(low=100.0, high=1000.0, log=True))
    """
    first = math.floor(math.log10(min(values)))
    last = max(first + 1, math.ceil(math.log10(max(values))))
    return Scale(10.0**first, 10.0**last, log=True)


def number_words(value: float) -> str:
    """A figure with three digits or more.

    >>> number_words(12345.6), number_words(12.345), number_words(0.012345), number_words(0)
    ('12,346', '12.3', '0.0123', '0')
    """
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, digits)}f}"


def short_words(value: float) -> str:
    """A number beside a tick.

    >>> short_words(250.0), short_words(65536), short_words(2e6), short_words(0.25)
    ('250', '65.5k', '2M', '0.25')
    """
    if abs(value) < _LONG:
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    for unit in ("k", "M"):
        value /= 1000
        if abs(value) < 1000:
            return f"{value:.3g}{unit}"
    return f"{value / 1000:,.3g}G"
