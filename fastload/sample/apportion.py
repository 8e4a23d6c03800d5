"""From shares to whole numbers of draws, epoch after epoch.

Shares are real numbers, draws are not. What rounding takes from a class in one epoch is owed to
it and given back in a later one, so that over many epochs each class gets its share. Debts are
integers, so that every machine draws the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Apportioned", "Counts", "Shares", "apportion", "limited"]

Counts = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]

# Products of a length and a share stay below 2**62.
_PRODUCT_BITS = 62
_SHARE_BITS = 40


def limited(shares: Shares, total: int, limits: Counts) -> Shares:
    """Shares under which ``total`` draws give no class more than its limit.

    What a class has too many is spread over the others in proportion to their shares.

    Args:
        shares: shape (classes,), finite, not negative, not all 0.
        total: draws in all; not more than the limits of the classes with a share allow.
        limits: int64, shape (classes,).

    Returns:
        Shares, shape (classes,), whose sum is 1.

    >>> limited(np.array([4.0, 2.0, 1.0]), 8, np.array([2, 100, 100])).tolist()
    [0.25, 0.5, 0.25]
    """
    room = limits / total
    full = np.zeros(len(shares), bool)
    while True:
        others = np.where(full, 0.0, shares)
        largest = others.max()
        if largest == 0:
            return np.where(full, room, 0.0)
        # Neither the largest floats nor the smallest ones are lost on the way.
        others /= largest
        left = max(0.0, 1 - room[full].sum())
        wanted: Shares = np.where(full, room, others / others.sum() * left)
        over = ~full & (wanted > room)
        if not over.any():
            return wanted
        full |= over


@dataclass(frozen=True)
class Apportioned:
    """The draws of one epoch.

    Attributes:
        draws: int64, shape (classes,).
        owed: int64, shape (classes,): what each class has missed, or had too much, in parts of a
            draw.
    """

    draws: Counts
    owed: Counts


def apportion(shares: Shares, total: int, limits: Counts, owed: Counts | None) -> Apportioned:
    """``total`` draws in proportion to shares, by largest remainders.

    Args:
        shares: shape (classes,), not negative, not all 0.
        total: draws in all, below 2**32, so that shares are exact to 2**-30; not more than the
            limits allow.
        limits: int64, shape (classes,): most draws of each class, 0 for one that is not drawn.
        owed: what the epoch before left, None for the first; of the same ``total``.

    >>> one = apportion(np.array([0.5, 0.25, 0.25]), 2, np.array([9, 9, 9]), None)
    >>> two = apportion(np.array([0.5, 0.25, 0.25]), 2, np.array([9, 9, 9]), one.owed)
    >>> one.draws.tolist(), two.draws.tolist()
    ([1, 1, 0], [1, 0, 1])
    """
    whole = 1 << min(_SHARE_BITS, _PRODUCT_BITS - total.bit_length())
    due = _parts(shares, whole) * total + (0 if owed is None else owed)
    draws = np.clip(due // whole, 0, limits)
    while (missing := total - int(draws.sum())) != 0:
        _step(draws, due - draws * whole, limits, missing)
    left = due - draws * whole
    # A class at its limit is not owed more and more: what it cannot take is the others'.
    left = np.where(draws < limits, left, np.minimum(left, 0))
    return Apportioned(draws, np.clip(left, -whole, whole))


def _parts(shares: Shares, whole: int) -> Counts:
    """Shares in integers whose sum is ``whole``, each the nearest one below or above its own."""
    parts: Counts = np.floor(shares / shares.sum() * whole).astype(np.int64)
    # One each: all that rounding has taken would be much for a single class.
    parts[np.flatnonzero(shares)[: whole - int(parts.sum())]] += 1
    return parts


def _step(draws: Counts, remainders: Counts, limits: Counts, missing: int) -> None:
    """Bring the draws nearer to their sum: more, or fewer, for the classes most due."""
    if missing > 0:
        able = np.flatnonzero(draws < limits)
        first = able[np.argsort(-remainders[able], kind="stable")][:missing]
        draws[first] += np.minimum(limits[first] - draws[first], max(missing // len(able), 1))
    else:
        able = np.flatnonzero(draws > 0)
        first = able[np.argsort(remainders[able], kind="stable")][:-missing]
        draws[first] -= np.minimum(draws[first], max(-missing // len(able), 1))
