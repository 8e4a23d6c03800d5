"""RandomErasing: a random box painted over, after everything else.

The distribution is torchvision's (Zhong et al., "Random Erasing Data Augmentation", 2017, as
torchvision draws it): up to ten tries for a box strictly smaller than the image; none fitting
leaves the image as it is.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from fastload.augment.draws import Draws, below, chance, uniform
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.resized_crop import TRIES
from fastload.augment.steps import StepBlock, StepKind

__all__ = ["RandomErasing"]


class RandomErasing(Op):
    """Paint a random box with a value.

    Args:
        probability: of painting at all.
        scale: range of the box's share of the image's area.
        ratio: range of height / width of the box.
        value: three numbers, in units of the output (set when the output is known).
    """

    keeps_size: ClassVar[bool] = True
    random: ClassVar[bool] = True

    def __init__(
        self,
        probability: float,
        scale: tuple[float, float],
        ratio: tuple[float, float],
        value: tuple[float, float, float],
    ) -> None:
        self.probability = probability
        self.scale = scale
        self.ratio = ratio
        self.log_ratio = math.log(ratio[0]), math.log(ratio[1])
        self.value = value

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        count = len(sizes)
        columns = {
            name: np.zeros(count, np.int64) for name in ("top", "left", "height", "width")
        } | {"erase": np.zeros(count, np.bool_)}
        # Block 0 decides; the tries are blocks 1 to 10, drawn for the chosen rows alone.
        rows = np.flatnonzero(chance(draws.words(stream)[:, 0, 0], self.probability))
        if not len(rows):
            return columns
        words = draws.words(stream, 1 + TRIES, rows)[:, 1:]
        heights = sizes.heights[rows, None]
        widths = sizes.widths[rows, None]
        areas = uniform(words[..., 0], *self.scale) * (heights * widths)
        ratios = np.exp(uniform(words[..., 1], *self.log_ratio))
        box_heights = np.rint(np.sqrt(areas * ratios)).astype(np.int64)
        box_widths = np.rint(np.sqrt(areas / ratios)).astype(np.int64)
        fits = (box_heights < heights) & (box_widths < widths)
        first = fits.argmax(axis=1)[:, None]
        tops = below(words[..., 2], np.maximum(heights - box_heights, 0) + 1)
        lefts = below(words[..., 3], np.maximum(widths - box_widths, 0) + 1)
        for name, boxes in (
            ("top", tops),
            ("left", lefts),
            ("height", box_heights),
            ("width", box_widths),
        ):
            columns[name][rows] = np.take_along_axis(boxes, first, axis=1)[:, 0]
        columns["erase"][rows] = fits.any(axis=1)
        return columns

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        block.kind[:, 0] = columns["erase"] * int(StepKind.ERASE)
        for place, name in enumerate(("top", "left", "height", "width")):
            block.i[:, 0, place] = columns[name]
        block.f[:, 0, :3] = self.value

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        """Paint one tensor (C, H, W) in place; ``image`` is the finished output here."""
        import torch

        if not columns["erase"][row]:
            return image
        top, left = int(columns["top"][row]), int(columns["left"][row])
        height, width = int(columns["height"][row]), int(columns["width"][row])
        value = torch.tensor(self.value[: image.shape[0]]).to(image.dtype)
        image[:, top : top + height, left : left + width] = value[:, None, None]
        return image
