"""What every lowered operation can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fastload.augment.draws import Draws
from fastload.augment.steps import StepBlock

__all__ = ["Columns", "Op", "Sizes"]

Columns = dict[str, npt.NDArray[Any]]
"""Drawn parameters of one operation: name to array with one row an image."""


class Sizes:
    """Heights and widths (int64, shape (n,)) of a batch of images on their way through a plan.

    Operations assign new arrays as they change the size. ``failures`` names the rows that an
    operation cannot take, with the reason.
    """

    def __init__(self, heights: npt.NDArray[Any], widths: npt.NDArray[Any]) -> None:
        self.heights = heights.astype(np.int64)
        self.widths = widths.astype(np.int64)
        self.failures: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.heights)

    def set(self, height: int, width: int) -> None:
        """Give every image the same size."""
        self.heights = np.full(len(self), height, np.int64)
        self.widths = np.full(len(self), width, np.int64)

    def fail(self, row: int, reason: str) -> None:
        """Note that ``row`` cannot be computed; the first reason stays."""
        self.failures.setdefault(row, reason)


class Op(ABC):
    """One operation on uint8 images, with its distribution, its steps and its torchvision twin."""

    steps: ClassVar[int] = 1
    """How many step records it needs for an image."""

    keeps_size: ClassVar[bool] = False
    """Whether the image leaves with the size it came with."""

    random: ClassVar[bool] = False
    """Whether it draws anything."""

    @abstractmethod
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        """Draw the parameters of a batch and bring ``sizes`` up to date."""

    @abstractmethod
    def fill(self, columns: Columns, block: StepBlock) -> None:
        """Write the parameters into ``block``, which is all zero (kind NONE)."""

    @abstractmethod
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        """Do it to one PIL image by torchvision's own functional operations."""

    def known_size(self, size: tuple[int, int] | None) -> tuple[int, int] | None:
        """The (height, width) it leaves, where that is certain given the one it gets."""
        return size if self.keeps_size else None

    def scaled(self, vertical: float, horizontal: float) -> Op:
        """The same operation for an output that is larger or smaller by these factors."""
        del vertical, horizontal
        return self
