"""How a command ends otherwise than well: said in one message, without a traceback."""

from __future__ import annotations

from pathlib import Path

__all__ = ["StoppedError", "TrainError"]


class TrainError(Exception):
    """A setting, file or state that training cannot go on with; says what, where, what to do."""


class StoppedError(Exception):
    """A training was told to stop, and has saved.

    Attributes:
        folder: what `fit --resume` goes on from.
        number: of the signal.
    """

    def __init__(self, folder: Path, number: int) -> None:
        super().__init__(folder, number)
        self.folder = folder
        self.number = number

    def __str__(self) -> str:
        return f"Stopped and saved. To go on: python -m train_ref fit --resume {self.folder}"
