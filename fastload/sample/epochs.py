"""Which epoch comes next."""

from __future__ import annotations

__all__ = ["EpochCounter"]


class EpochCounter:
    """Counts epochs by itself and can be told.

    >>> epochs = EpochCounter()
    >>> epochs.take(), epochs.take()
    (0, 1)
    >>> epochs.set(7)
    >>> epochs.take(), epochs.next
    (7, 8)
    """

    def __init__(self) -> None:
        self.next = 0

    def take(self) -> int:
        """The number of the epoch that begins now."""
        epoch = self.next
        self.next += 1
        return epoch

    def set(self, epoch: int) -> None:
        """Let the next epoch be ``epoch``, 0 or more."""
        if epoch < 0:
            raise ValueError(f"Epoch {epoch} is negative: epochs count from 0.")
        self.next = epoch
