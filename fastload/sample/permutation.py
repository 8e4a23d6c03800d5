"""Each index once an epoch, drawn or counted."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch.utils.data import RandomSampler, SequentialSampler

from fastload.native.library import permutation
from fastload.sample.epochs import EpochCounter
from fastload.sample.order import Order, OrderSampler

__all__ = ["InOrderSampler", "PermutationSampler"]


class PermutationSampler(OrderSampler, RandomSampler):
    """Each index once an epoch, in an order that is a pure function of seed and epoch.

    A ``RandomSampler`` for all code that asks.

    Args:
        data_source: anything with a length.
        seed: 64-bit seed.
        epochs: the counter to take epochs from (a loader shares its own).
    """

    seed: int

    def __init__(self, data_source: Any, seed: int, epochs: EpochCounter | None = None) -> None:
        RandomSampler.__init__(self, data_source)
        OrderSampler.__init__(self, epochs)
        self.seed = seed

    def order(self, epoch: int) -> Order:
        """The indices of one epoch: int64, shape (n,)."""
        return permutation(self.seed, epoch, len(self.data_source))

    def __len__(self) -> int:
        return len(self.data_source)


class InOrderSampler(OrderSampler, SequentialSampler):
    """The indices from the first to the last."""

    def __init__(self, data_source: Any, epochs: EpochCounter | None = None) -> None:
        SequentialSampler.__init__(self, data_source)
        OrderSampler.__init__(self, epochs)

    def order(self, epoch: int) -> Order:
        """The indices of one epoch: int64, shape (n,)."""
        del epoch
        return np.arange(len(self), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.data_source)
