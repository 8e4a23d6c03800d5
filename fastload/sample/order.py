"""Samplers that tell the whole order of an epoch before it begins."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

from fastload.sample.epochs import EpochCounter

__all__ = ["Order", "OrderSampler"]

Order = npt.NDArray[np.int64]


class OrderSampler(Sampler[int]):
    """A sampler whose order is a pure function of the epoch.

    Iterating takes the next epoch of the counter, so that it serves torch's ``DataLoader`` too.

    Args:
        epochs: the counter to take epochs from (a loader shares its own).
    """

    def __init__(self, epochs: EpochCounter | None = None) -> None:
        self.epochs = epochs if epochs is not None else EpochCounter()

    @abstractmethod
    def order(self, epoch: int) -> Order:
        """The indices of one epoch: int64, shape (len(self),)."""

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration be that of ``epoch``."""
        self.epochs.set(epoch)

    def __iter__(self) -> Iterator[int]:
        yield from self.order(self.epochs.take()).tolist()
