"""What JPEG files were encoded with, as far as they tell."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["quality_of"]

# The luminance table that qualities from 1 to 100 scale: ITU-T T.81, annex K.1, row by row.
_LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61),
    *(12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77),
    *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101),
    *(72, 92, 95, 98, 112, 100, 103, 99),
)


def _sum_of(quality: int) -> int:
    """The sum of the table of a quality, as libjpeg scales it."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return sum(min(255, max(1, (step * percent + 50) // 100)) for step in _LUMINANCE)


_SUMS = {quality: _sum_of(quality) for quality in range(1, 101)}


def quality_of(luminance: Sequence[int]) -> int:
    """The quality from 1 to 100 of libjpeg whose luminance table has the nearest sum.

    A file of another encoder has other tables: then it is about as coarse as that quality is.

    Args:
        luminance: the file's quantisation table, 64 steps in any order.

    >>> quality_of(_LUMINANCE), quality_of([1] * 64)
    (50, 100)
    """
    total = sum(luminance)
    return min(_SUMS, key=lambda quality: (abs(_SUMS[quality] - total), quality))
