"""Crops of a given size: at the centre, and at random after padding."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from fastload.augment.draws import Draws, below
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.pad import pad_image, write_pad
from fastload.augment.steps import StepBlock, StepKind

__all__ = ["CenterCrop", "RandomCrop", "crop_image", "write_crop"]


def write_crop(block: StepBlock, step: int, columns: Columns) -> None:
    """Write CROP steps from the columns top, left, height and width."""
    block.kind[:, step] = StepKind.CROP
    for place, name in enumerate(("top", "left", "height", "width")):
        block.i[:, step, place] = columns[name]


def crop_image(image: Any, columns: Columns, row: int) -> Any:
    """Crop one PIL image with torchvision's own function."""
    from torchvision.transforms import functional

    box = (int(columns[name][row]) for name in ("top", "left", "height", "width"))
    return functional.crop(image, *box)


def _boxes(
    tops: npt.NDArray[np.int64], lefts: npt.NDArray[np.int64], size: tuple[int, int]
) -> Columns:
    return {
        "top": tops,
        "left": lefts,
        "height": np.full_like(tops, size[0]),
        "width": np.full_like(lefts, size[1]),
    }


class CenterCrop(Op):
    """The middle of the image, with zeros around it where the image is smaller.

    Args:
        size: (height, width).
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        del draws, stream
        tops = _centred(sizes.heights, self.size[0])
        lefts = _centred(sizes.widths, self.size[1])
        sizes.set(*self.size)
        return _boxes(tops, lefts, self.size)

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        write_crop(block, 0, columns)

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        return crop_image(image, columns, row)

    @override
    def known_size(self, size: tuple[int, int] | None) -> tuple[int, int] | None:
        del size
        return self.size

    @override
    def scaled(self, vertical: float, horizontal: float) -> Op:
        return CenterCrop((round(self.size[0] * vertical), round(self.size[1] * horizontal)))


def _centred(lengths: npt.NDArray[np.int64], wanted: int) -> npt.NDArray[np.int64]:
    # torchvision pads a short side by (wanted - length) // 2 in front and crops a long one at
    # round((length - wanted) / 2), halves to even.
    inside = np.rint((lengths - wanted) / 2.0).astype(np.int64)
    return np.where(lengths < wanted, -((wanted - lengths) // 2), inside)


class RandomCrop(Op):
    """A box of fixed size at a random place, after padding.

    Args:
        size: (height, width).
        borders: left, top, right, bottom, in pixels.
        pad_if_needed: pad both ends of a side that is too short by what it lacks.
        fill: levels of R, G, B for the constant mode.
        mode: one of ``PAD_MODES``.
        one_padding: torchvision v2 pads once; v1 pads by ``borders`` first, then by what lacks.
    """

    steps: ClassVar[int] = 3
    random: ClassVar[bool] = True

    def __init__(
        self,
        size: tuple[int, int],
        borders: tuple[int, int, int, int],
        pad_if_needed: bool,
        fill: tuple[int, int, int],
        mode: str,
        one_padding: bool,
    ) -> None:
        self.size = size
        self.borders = np.array(borders, np.int64)
        self.pad_if_needed = pad_if_needed
        self.fill_levels = fill
        self.mode = mode
        self.one_padding = one_padding

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        left, top, right, bottom = self.borders
        heights = sizes.heights + (top + bottom)
        widths = sizes.widths + (left + right)
        columns: Columns = {}
        if self.pad_if_needed:
            lack_y = np.maximum(self.size[0] - heights, 0)
            lack_x = np.maximum(self.size[1] - widths, 0)
            columns["lack"] = np.stack([lack_x, lack_y, lack_x, lack_y], axis=1)
            heights = heights + 2 * lack_y
            widths = widths + 2 * lack_x
        else:
            self._refuse_small(heights, widths, sizes)
        words = draws.words(stream)[:, 0]
        tops = below(words[:, 0], np.maximum(heights - self.size[0], 0) + 1)
        lefts = below(words[:, 1], np.maximum(widths - self.size[1], 0) + 1)
        sizes.set(*self.size)
        return columns | _boxes(tops, lefts, self.size)

    def _refuse_small(
        self, heights: npt.NDArray[np.int64], widths: npt.NDArray[np.int64], sizes: Sizes
    ) -> None:
        small = (heights < self.size[0]) | (widths < self.size[1])
        for row in np.flatnonzero(small):
            sizes.fail(
                int(row),
                f"Required crop size {self.size} is larger than input image size "
                f"({heights[row]}, {widths[row]}): give RandomCrop pad_if_needed=True, "
                "or resize first",
            )

    def _paddings(self, columns: Columns) -> list[npt.NDArray[np.int64]]:
        lack = columns.get("lack")
        if lack is None:
            return [self.borders]
        if self.one_padding or self.mode == "constant":
            return [self.borders + lack]
        return [self.borders, lack]

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        for step, borders in enumerate(self._paddings(columns)):
            write_pad(block, step, borders, self.mode, self.fill_levels)
        write_crop(block, 2, columns)

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        for borders in self._paddings(columns):
            sides = borders if borders.ndim == 1 else borders[row]
            image = pad_image(image, sides, self.mode, self.fill_levels)
        return crop_image(image, columns, row)

    @override
    def known_size(self, size: tuple[int, int] | None) -> tuple[int, int] | None:
        del size
        return self.size

    @override
    def scaled(self, vertical: float, horizontal: float) -> Op:
        factors = np.array([horizontal, vertical, horizontal, vertical])
        left, top, right, bottom = (int(side) for side in np.rint(self.borders * factors))
        return RandomCrop(
            (round(self.size[0] * vertical), round(self.size[1] * horizontal)),
            (left, top, right, bottom),
            self.pad_if_needed,
            self.fill_levels,
            self.mode,
            self.one_padding,
        )
