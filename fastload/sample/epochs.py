"""Which epoch comes next."""

from __future__ import annotations

__all__ = ["EpochCounter"]


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

    def set(self, epoch: int) -> None:
        """Let the next epoch be ``epoch``, 0 or more."""
        if epoch < 0:
            raise ValueError(f"Epoch {epoch} is negative: epochs count from 0.")
        self.next = epoch
        self.told = True
