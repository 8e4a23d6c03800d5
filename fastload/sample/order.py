"""Samplers that tell the whole order of an epoch before it begins."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

from fastload.sample.agreement import SeedAgreement
from fastload.sample.epochs import EpochCounter

__all__ = ["Order", "OrderSampler"]

Order = npt.NDArray[np.int64]


class OrderSampler(Sampler[int]):
    """A sampler whose order is a pure function of the epoch.

    Iterating takes the next epoch of the counter, so that it serves torch's ``DataLoader`` too.

    Args:
        epochs: the counter to take epochs from (a loader shares its own).

    Attributes:
        seed: what the order is drawn from; None where nothing is drawn.
        run: how many positions in a row belong together, and to one rank.
        agreement: where the seed was not given, what makes it the same on all ranks.
    """

    seed: int | None = None
    run: int = 1
    agreement: SeedAgreement | None = None

    def __init__(self, epochs: EpochCounter | None = None) -> None:
        self.epochs = epochs if epochs is not None else EpochCounter()

    @abstractmethod
    def order(self, epoch: int) -> Order:
        """The indices of one epoch: int64, shape (len(self),), those of all ranks."""

    @abstractmethod
    def __len__(self) -> int:
        """How many indices an epoch has."""

    def identity(self) -> dict[str, Any]:
        """All that decides the order, by name, as JSON takes it.

        A saved position means the same sample only where it is the same. Subclasses add to it.
        """
        return {"sampler": type(self).__name__, "length": len(self), "seed": self.seed}

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration be that of ``epoch``."""
        self.epochs.set(epoch)

    def __iter__(self) -> Iterator[int]:
        if self.agreement is not None:
            self.seed = self.agreement.settle(self.identity())
        yield from self.order(self.epochs.take()).tolist()
