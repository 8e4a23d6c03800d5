"""Which images of each class a page has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastload.native.library import permutation

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["chosen_of_classes", "fair_share", "prefix_within"]

# The same images are shown whenever the page is made again.
_SEED = 0


def fair_share(counts: NDArray[np.int64], most: int) -> int:
    """How many images a class may show if all together may show so many.

    Small classes that need less leave theirs to the others, so rare classes are shown whole.

    Args:
        counts: int64, shape (classes,).
        most: images in all.

    >>> fair_share(np.array([100, 50, 3]), 43), fair_share(np.array([5, 5, 5]), 2)
    (20, 0)
    """
    ordered = np.sort(counts)
    below = np.concatenate([[0], np.cumsum(ordered)])
    for place, count in enumerate(ordered.tolist()):
        if below[place] + count * (len(ordered) - place) > most:
            return int((most - below[place]) // (len(ordered) - place))
    return int(ordered[-1]) if len(ordered) else 0


def chosen_of_classes(counts: NDArray[np.int64], most: int) -> list[NDArray[np.int64]]:
    """The samples of each class that are shown, drawn at random, the same each time.

    Where there are more classes than ``most``, the first ones in order of size show one each.

    Args:
        counts: int64, shape (classes,): samples of each class; they are numbered class by class.
        most: samples in all.

    Returns:
        for each class int64, shape (shown,), in the order in which they were drawn: any first few
        of them are a fair draw as well.
    """
    share = fair_share(counts, most)
    shares = np.minimum(counts, share)
    if share == 0:
        shares[np.argsort(-counts, kind="stable")[:most]] = 1
        shares = np.minimum(shares, counts)
    starts = np.cumsum(counts) - counts
    return [
        start + permutation(_SEED, label, int(count))[: int(shown)]
        for label, (start, count, shown) in enumerate(zip(starts, counts, shares, strict=True))
    ]


def prefix_within(sizes: list[list[int]], budget: int) -> list[int]:
    """How many of each list fit, taking one of each list in turn.

    >>> prefix_within([[5, 5, 5], [4]], 14)
    [2, 1]
    """
    shown = [0] * len(sizes)
    for turn in range(max(map(len, sizes), default=0)):
        for place, ones in enumerate(sizes):
            if turn < len(ones):
                budget -= ones[turn]
                if budget < 0:
                    return shown
                shown[place] += 1
    return shown
