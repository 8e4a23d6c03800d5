"""Figures of several rounds: their median, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

__all__ = ["spread"]


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median with the lowest and the highest, if there are several.

    >>> spread([3000.0, 1000.0, 2000.0]), spread([1.25], 1)
    ('2,000 (1,000-3,000)', '1.2')
    """
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    low, high = min(values), max(values)
    return f"{median(values):,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"
