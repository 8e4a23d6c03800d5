"""What a seed may be."""

from __future__ import annotations

from typing import Any, SupportsIndex

__all__ = ["checked_seed"]


def checked_seed(seed: Any) -> int:
    """A seed as 64 bits.

    Raises:
        ValueError: it is no integer from 0 to 2**64 - 1.

    >>> checked_seed(7)
    7
    """
    if not isinstance(seed, SupportsIndex) or not 0 <= int(seed) < 2**64:
        raise ValueError(f"seed is {seed!r}: it takes an integer, 0 to 2**64 - 1.")
    return int(seed)
