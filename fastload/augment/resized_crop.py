"""RandomResizedCrop: a box of random area and aspect ratio, resized to a fixed size.

The distribution is torchvision's: up to ten tries, each with its own area (uniform), aspect ratio
(uniform in its logarithm) and place; an image that takes none of them gives its largest centred
box whose ratio lies in the range. Try k of a position uses block k of its stream, so the first
tries are drawn for all images at once and the other nine only for the few that need them.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from fastload.augment.crop import crop_image, write_crop
from fastload.augment.draws import Draws, Words, below, uniform
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.resize import write_resize
from fastload.augment.steps import StepBlock

__all__ = ["TRIES", "RandomResizedCrop"]

TRIES = 10
"""How often torchvision tries before it falls back to the centre."""

Pixels = npt.NDArray[np.int64]


class RandomResizedCrop(Op):
    """Crop at random, then resize.

    Args:
        size: (height, width) of the output.
        scale: range of the box's share of the image's area.
        ratio: range of width / height of the box.
        pillow_filter: Pillow's number of the resampling filter.
    """

    steps: ClassVar[int] = 2
    random: ClassVar[bool] = True

    def __init__(
        self,
        size: tuple[int, int],
        scale: tuple[float, float],
        ratio: tuple[float, float],
        pillow_filter: int,
    ) -> None:
        self.size = size
        self.scale = scale
        self.ratio = ratio
        self.log_ratio = math.log(ratio[0]), math.log(ratio[1])
        self.pillow_filter = pillow_filter

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        boxes, fits = self._try(draws.words(stream)[:, 0], sizes.heights, sizes.widths)
        rows = np.flatnonzero(~fits)
        if len(rows):
            boxes[:, rows] = self._retry(draws, stream, sizes, rows)
        sizes.set(*self.size)
        return {"top": boxes[0], "left": boxes[1], "height": boxes[2], "width": boxes[3]}

    def _try(
        self, words: Words, heights: Pixels, widths: Pixels
    ) -> tuple[Pixels, npt.NDArray[np.bool_]]:
        areas = uniform(words[..., 0], *self.scale) * (heights * widths)
        ratios = np.exp(uniform(words[..., 1], *self.log_ratio))
        box_widths = np.rint(np.sqrt(areas * ratios)).astype(np.int64)
        box_heights = np.rint(np.sqrt(areas / ratios)).astype(np.int64)
        room_y = heights - box_heights
        room_x = widths - box_widths
        fits = (np.minimum(room_y, room_x) >= 0) & (np.minimum(box_heights, box_widths) > 0)
        tops = below(words[..., 2], np.maximum(room_y, 0) + 1)
        lefts = below(words[..., 3], np.maximum(room_x, 0) + 1)
        return np.stack([tops, lefts, box_heights, box_widths]), fits

    def _retry(self, draws: Draws, stream: int, sizes: Sizes, rows: Pixels) -> Pixels:
        heights = sizes.heights[rows]
        widths = sizes.widths[rows]
        words = draws.words(stream, TRIES, rows)
        boxes, fits = self._try(words, heights[:, None], widths[:, None])
        first = fits.argmax(axis=1)
        chosen = np.take_along_axis(boxes, first[None, :, None], axis=2)[:, :, 0]
        none = ~fits.any(axis=1)
        if none.any():
            chosen[:, none] = self._centre(heights[none], widths[none])
        return chosen

    def _centre(self, heights: Pixels, widths: Pixels) -> Pixels:
        narrowest, widest = min(self.ratio), max(self.ratio)
        ratios = widths / heights
        box_heights = np.where(
            ratios < narrowest, np.rint(widths / narrowest).astype(np.int64), heights
        )
        box_widths = np.where(ratios > widest, np.rint(heights * widest).astype(np.int64), widths)
        tops = (heights - box_heights) // 2
        lefts = (widths - box_widths) // 2
        return np.stack([tops, lefts, box_heights, box_widths])

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        write_crop(block, 0, columns)
        write_resize(block, 1, self.size[0], self.size[1], self.pillow_filter)

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        box = crop_image(image, columns, row)
        size = self.size[1], self.size[0]
        return box if box.size == size else box.resize(size, self.pillow_filter)

    @override
    def known_size(self, size: tuple[int, int] | None) -> tuple[int, int] | None:
        del size
        return self.size

    @override
    def scaled(self, vertical: float, horizontal: float) -> Op:
        size = round(self.size[0] * vertical), round(self.size[1] * horizontal)
        return RandomResizedCrop(size, self.scale, self.ratio, self.pillow_filter)
