"""Padding."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from fastload.augment.draws import Draws
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.steps import StepBlock, StepKind

__all__ = ["PAD_MODES", "Pad", "write_pad"]

PAD_MODES = {"constant": 0, "edge": 1, "reflect": 2, "symmetric": 3}
"""torchvision's padding modes and their numbers in a PAD step."""

Levels = tuple[int, int, int]


def write_pad(
    block: StepBlock, step: int, borders: npt.NDArray[Any], mode: str, fill: Levels
) -> None:
    """Write PAD steps; ``borders`` is (n, 4) or (4,): left, top, right, bottom.

    An image whose borders are all zero gets no step.
    """
    block.kind[:, step] = borders.any(axis=-1) * int(StepKind.PAD)
    block.i[:, step, :4] = borders
    block.i[:, step, 4] = PAD_MODES[mode]
    block.f[:, step, :3] = fill


def pad_image(image: Any, borders: npt.NDArray[Any], mode: str, fill: Levels) -> Any:
    """Pad one PIL image with torchvision's own function."""
    from torchvision.transforms import functional

    if not borders.any():
        return image
    levels = fill if len(image.getbands()) == 3 else fill[0]
    return functional.pad(image, [int(side) for side in borders], levels, mode)


class Pad(Op):
    """Fixed borders around the image.

    Args:
        borders: left, top, right, bottom, in pixels, none negative.
        mode: one of ``PAD_MODES``.
        fill: levels of R, G, B for the constant mode.
    """

    random: ClassVar[bool] = False

    def __init__(self, borders: tuple[int, int, int, int], mode: str, fill: Levels) -> None:
        self.borders = np.array(borders, np.int64)
        self.mode = mode
        self.fill_levels = fill

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        del draws, stream
        left, top, right, bottom = self.borders
        sizes.heights = sizes.heights + (top + bottom)
        sizes.widths = sizes.widths + (left + right)
        return {}

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        del columns
        write_pad(block, 0, self.borders, self.mode, self.fill_levels)

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        del columns, row
        return pad_image(image, self.borders, self.mode, self.fill_levels)

    @override
    def known_size(self, size: tuple[int, int] | None) -> tuple[int, int] | None:
        if size is None:
            return None
        left, top, right, bottom = (int(side) for side in self.borders)
        return size[0] + top + bottom, size[1] + left + right

    @override
    def scaled(self, vertical: float, horizontal: float) -> Op:
        factors = np.array([horizontal, vertical, horizontal, vertical])
        left, top, right, bottom = (int(side) for side in np.rint(self.borders * factors))
        return Pad((left, top, right, bottom), self.mode, self.fill_levels)
