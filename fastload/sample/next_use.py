"""When each sample of a pass is wanted again: what decides whether it is worth keeping."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch.utils.data import WeightedRandomSampler

from fastload.native import library
from fastload.sample.order import Order

__all__ = [
    "LONGEST",
    "NEVER",
    "NEXT_PASS",
    "Times",
    "coming_uses",
    "expected_waits",
    "has_repeats",
    "next_uses",
]

Times = npt.NDArray[np.uint32]
"""Places in a pass, and from ``NEXT_PASS`` on those of the next one.

32 bits, since a loader of ten million samples keeps as many times.
"""

NEXT_PASS = 2**31
"""The time at which the next pass begins, as times are told here."""

NEVER = np.uint32(2**32 - 1)
"""The time of what is not wanted again."""

LONGEST = NEXT_PASS - 1
"""A pass of more samples has no times."""


def coming_uses(following: Order, samples: int) -> Times:
    """Time of the first use of each sample in the next pass.

    Args:
        following: int64, shape (n,): the samples of that pass, each 0 to ``samples`` - 1.
        samples: how many there are.

    Returns:
        uint32, shape (samples,): at least ``NEXT_PASS``; ``NEVER`` for one that does not come.

    >>> coming_uses(np.array([2, 0, 2]), samples=3) - np.uint32(NEXT_PASS)
    array([         1, 2147483647,          0], dtype=uint32)
    """
    return library.first_uses(following, samples, NEXT_PASS)


def next_uses(order: Order, coming: Times) -> Times:
    """Time of the next use of each place's sample.

    Within the pass it is the next place of the same sample. Where there is none, it is the
    sample's first use in the next pass.

    Args:
        order: int64, shape (n,): the samples of this pass.
        coming: the ``coming_uses`` of the next one; overwritten.

    Returns:
        uint32, shape (n,); ``NEVER`` for a sample that does not come again.

    >>> coming = coming_uses(np.array([2, 7, 5]), samples=8)
    >>> [int(time) % NEXT_PASS for time in next_uses(np.array([5, 2, 5, 7]), coming)]
    [2, 0, 2, 1]
    """
    return library.next_uses(order, coming)


def has_repeats(order: Order, samples: int) -> bool:
    """Whether some sample comes twice in a pass.

    Where none does, ``coming_uses`` of the next pass is all there is to know of the samples' times.
    """
    return library.has_repeats(order, samples)


def expected_waits(sampler: object) -> npt.NDArray[np.float64] | None:
    """Mean number of samples from one use of each sample to the next, for independent draws.

    Known of torch's ``WeightedRandomSampler``: a sample of weight w comes every sum(weights) / w
    draws in the mean. Float64, shape (n,), infinite for a weight of 0; None for other samplers.
    """
    if not isinstance(sampler, WeightedRandomSampler):
        return None
    weights = sampler.weights.numpy().astype(np.float64)
    with np.errstate(divide="ignore"):
        waits: npt.NDArray[np.float64] = weights.sum() / weights
    return waits
