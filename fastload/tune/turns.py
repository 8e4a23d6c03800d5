"""What lies between two epochs of torch's loader: workers that start anew, or live on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Turn"]


@dataclass(frozen=True)
class Turn:
    """Seconds from the end of an epoch to the first batch of the next: medians.

    Attributes:
        anew: with worker processes that are started for it.
        kept: with those of the epoch before (``persistent_workers=True``).
        epoch: seconds of an epoch of the whole dataset, as measured between its ends.
    """

    anew: float
    kept: float
    epoch: float

    @property
    def saved(self) -> float:
        """Part of an epoch's time that is saved where workers live on."""
        return (self.anew - self.kept) / (self.anew + self.epoch)

    def as_dict(self) -> dict[str, Any]:
        """The same, as JSON takes it."""
        return {**asdict(self), "saved": self.saved}
