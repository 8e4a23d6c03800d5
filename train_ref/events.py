"""A run's figures for TensorBoard, where that is installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["Events"]


class Events:
    """Writes figures beside those of the metric log; without TensorBoard it does nothing.

    Args:
        folder: the run's.
        step: that the run goes on behind; what was written of later ones is no longer shown.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._writer: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    def add(self, step: int, figures: Mapping[str, Any], group: str = "train") -> None:
        """Write all numbers of a line of the metric log."""
        if self._writer is None:
            return
        for name, value in figures.items():
            if isinstance(value, Mapping):
                self.add(step, value, name)
            elif isinstance(value, (int, float)):
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def close(self) -> None:
        """Write what is not yet on disk."""
        if self._writer is not None:
            self._writer.close()
