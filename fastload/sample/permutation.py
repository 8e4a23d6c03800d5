"""Orders drawn or counted for a whole epoch at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from torch.utils.data import RandomSampler, SequentialSampler

from fastload.native.library import permutation
from fastload.sample.epochs import EpochCounter

__all__ = ["InOrderSampler", "Order", "PermutationSampler"]

Order = npt.NDArray[np.int64]


class PermutationSampler(RandomSampler):
    """Each index once an epoch, in an order that is a pure function of seed and epoch.

    A ``RandomSampler`` for all code that asks; iterating takes the next epoch of the counter.

    Args:
        data_source: anything with a length.
        seed: 64-bit seed.
        epochs: the counter to take epochs from (a loader shares its own).
    """

    def __init__(self, data_source: Any, seed: int, epochs: EpochCounter | None = None) -> None:
        super().__init__(data_source)
        self.seed = seed
        self.epochs = epochs if epochs is not None else EpochCounter()

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration be that of ``epoch``."""
        self.epochs.set(epoch)

    def order(self, epoch: int) -> Order:
        """The indices of one epoch: int64, shape (n,)."""
        return permutation(self.seed, epoch, len(self.data_source))

    def __iter__(self) -> Iterator[int]:
        yield from self.order(self.epochs.take()).tolist()


class InOrderSampler(SequentialSampler):
    """The indices from the first to the last."""

    def order(self, epoch: int) -> Order:
        """The indices of one epoch: int64, shape (n,)."""
        del epoch
        return np.arange(len(self.data_source), dtype=np.int64)
