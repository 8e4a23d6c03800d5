"""RandomRotation and RandomAffine: one warp with parameters from ranges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from fastload.augment.draws import Draws, uniform
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.steps import StepBlock
from fastload.augment.warp import (
    INTERPOLATIONS,
    Affine,
    affine_matrices,
    rotation_matrices,
    write_warps,
)

__all__ = ["AffineRanges", "RandomAffine", "RandomRotation", "Reading"]

Range = tuple[float, float]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """How a warp reads an image.

    Attributes:
        interpolation: Pillow's number: 0, 2 or 3.
        fill_levels: levels of R, G, B for what lies outside.
        center: (x, y) in pixels that stays in place, or None for the middle.
    """

    interpolation: int
    fill_levels: tuple[int, int, int]
    center: tuple[float, float] | None

    @property
    def mode(self) -> Any:
        """The interpolation as torchvision's functions take it."""
        from torchvision.transforms import InterpolationMode

        return InterpolationMode(INTERPOLATIONS[self.interpolation])

    def scaled(self, vertical: float, horizontal: float) -> Reading:
        """The same for an image that is larger or smaller by these factors."""
        if self.center is None:
            return self
        return replace(self, center=(self.center[0] * horizontal, self.center[1] * vertical))

    def centers(self, columns: Columns) -> tuple[Floats, Floats]:
        """X and y of each image's centre: float64, shape (n,)."""
        if self.center is None:
            return columns["width"] / 2, columns["height"] / 2
        x, y = self.center
        return np.full(len(columns["width"]), float(x)), np.full(len(columns["width"]), float(y))


class _RandomWarp(Op):
    keeps_size: ClassVar[bool] = True
    random: ClassVar[bool] = True
    reading: Reading

    def matrices(self, columns: Columns) -> Floats:
        """Pillow's matrices, float64, shape (n, 6)."""
        raise NotImplementedError

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        write_warps(
            block,
            np.ones(block.kind.shape, np.bool_),
            self.matrices(columns),
            self.reading.interpolation,
            self.reading.fill_levels,
        )


class RandomRotation(_RandomWarp):
    """Turn by a random angle, the size kept.

    Args:
        degrees: range of the angle, counter-clockwise.
        reading: how the image is read.
    """

    def __init__(self, degrees: Range, reading: Reading) -> None:
        self.degrees = degrees
        self.reading = reading

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        angle = uniform(draws.words(stream)[:, 0, 0], *self.degrees)
        return {"angle": angle, "height": sizes.heights, "width": sizes.widths}

    @override
    def matrices(self, columns: Columns) -> Floats:
        return rotation_matrices(columns["angle"], *self.reading.centers(columns))

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        from torchvision.transforms import functional

        reading = self.reading
        center = None if reading.center is None else list(reading.center)
        return functional.rotate(
            image,
            float(columns["angle"][row]),
            reading.mode,
            center=center,
            fill=list(reading.fill_levels),
        )

    @override
    def scaled(self, vertical: float, horizontal: float) -> Op:
        return RandomRotation(self.degrees, self.reading.scaled(vertical, horizontal))


@dataclass(frozen=True)
class AffineRanges:
    """What RandomAffine draws from.

    Attributes:
        degrees: of the angle, clockwise.
        translate: the largest shift across and down, in parts of the sides.
        scale: of the factor.
        shear_x, shear_y: of the shears in degrees.
    """

    degrees: Range
    translate: tuple[float, float]
    scale: Range
    shear_x: Range
    shear_y: Range


class RandomAffine(_RandomWarp):
    """Turn, shift, scale and shear at random, the size kept.

    Args:
        ranges: what to draw from.
        reading: how the image is read.
    """

    def __init__(self, ranges: AffineRanges, reading: Reading) -> None:
        self.ranges = ranges
        self.reading = reading

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        words = draws.words(stream, 2)
        ranges = self.ranges
        across = ranges.translate[0] * sizes.widths * uniform(words[:, 0, 1], -1.0, 1.0)
        down = ranges.translate[1] * sizes.heights * uniform(words[:, 0, 2], -1.0, 1.0)
        return {
            "angle": uniform(words[:, 0, 0], *ranges.degrees),
            "across": np.rint(across),
            "down": np.rint(down),
            "scale": uniform(words[:, 0, 3], *ranges.scale),
            "shear_x": uniform(words[:, 1, 0], *ranges.shear_x),
            "shear_y": uniform(words[:, 1, 1], *ranges.shear_y),
            "height": sizes.heights,
            "width": sizes.widths,
        }

    @override
    def matrices(self, columns: Columns) -> Floats:
        names = ("angle", "across", "down", "scale", "shear_x", "shear_y")
        affine = Affine(*(columns[name] for name in names))
        return affine_matrices(affine, *self.reading.centers(columns))

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        from torchvision.transforms import functional

        reading = self.reading
        return functional.affine(
            image,
            float(columns["angle"][row]),
            [int(columns[name][row]) for name in ("across", "down")],
            float(columns["scale"][row]),
            [float(columns[name][row]) for name in ("shear_x", "shear_y")],
            reading.mode,
            fill=list(reading.fill_levels),
            center=None if reading.center is None else list(reading.center),
        )

    @override
    def scaled(self, vertical: float, horizontal: float) -> Op:
        return RandomAffine(self.ranges, self.reading.scaled(vertical, horizontal))
