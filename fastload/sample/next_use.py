"""When each sample of a pass is wanted again: what decides whether it is worth keeping."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch.utils.data import WeightedRandomSampler

from fastload.native.library import next_uses as native_next_uses
from fastload.sample.order import Order, OrderSampler

__all__ = ["NEVER", "Times", "expected_waits", "next_uses", "orders_of"]

Times = npt.NDArray[np.uint64]

NEVER = np.uint64(2**64 - 1)
"""The time of what is not wanted again."""


def next_uses(order: Order, following: Order | None, period: int) -> Times:
    """Time of the next use of each position's sample, counted in samples from the pass's begin.

    Within the pass it is the next position of the same sample. Where there is none, it is its
    first position in the ``following`` pass, which begins at time ``period``; where that pass's
    order is not known, the mean of that position if the sample comes as often as in this pass.

    Args:
        order: int64, shape (n,): the samples of this pass.
        following: those of the next one, or None.
        period: time from the begin of this pass to that of the next.

    Returns:
        uint64, shape (n,); ``NEVER`` for a sample that does not come again.

    >>> next_uses(np.array([5, 2, 5, 7]), np.array([2, 7, 5]), period=4).tolist()
    [2, 4, 6, 5]
    """
    return native_next_uses(order, following, period)


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


def orders_of(sampler: object, epoch: int) -> tuple[Order, Order] | None:
    """The orders of an epoch and of the next one, where the sampler can tell before it begins."""
    if isinstance(sampler, OrderSampler):
        return sampler.order(epoch), sampler.order(epoch + 1)
    return None
