"""Which epoch comes next."""

from __future__ import annotations

from operator import index
from typing import SupportsIndex

__all__ = ["LAST_EPOCH", "EpochCounter"]

LAST_EPOCH = 2**32 - 1
"""Draws have 32 bits for the epoch."""


class EpochCounter:
    """Counts epochs by itself and can be told.

    Attributes:
        next: the epoch that begins next.
        told: whether somebody has said so, rather than the count.

    >>> epochs = EpochCounter()
    >>> epochs.take(), epochs.take()
    (0, 1)
    >>> epochs.set(7)
    >>> epochs.told, epochs.take(), epochs.next, epochs.told
    (True, 7, 8, False)
    """

    def __init__(self) -> None:
        self.next = 0
        self.told = False

    def take(self) -> int:
        """The number of the epoch that begins now."""
        epoch = self.next
        self.next += 1
        self.told = False
        return epoch

    def set(self, epoch: SupportsIndex) -> None:
        """Let the next epoch be ``epoch``, an integer.

        Raises:
            TypeError: it is none.
            ValueError: it is negative, or of more than 32 bits.
        """
        number = index(epoch)
        if not 0 <= number <= LAST_EPOCH:
            raise ValueError(f"Epoch {number}: epochs count from 0 to 2**32 - 1.")
        self.next = number
        self.told = True
