"""Resizing whole images."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import PIL
from typing_extensions import override

from fastload.augment.draws import Draws
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.steps import StepBlock, StepKind

__all__ = ["FILTERS", "PASS_ORDER", "Resize", "pass_order", "resized_sizes", "write_resize"]

FILTERS = {
    "nearest": 0,
    "nearest-exact": 0,
    "lanczos": 1,
    "bilinear": 2,
    "bicubic": 3,
    "box": 4,
    "hamming": 5,
}
"""torchvision's interpolation names and Pillow's numbers for what it does on PIL images."""

_PASS_ORDERS = {(13, 0): 0, (12, 2): 1, (0, 0): 2}


def pass_order(pillow_version: str) -> int:
    """Which pass of a resampling a Pillow runs first, by the number that resize.h gives the rule.

    Each pass rounds, so the order decides pixels, and those of the installed Pillow are promised.

    >>> [pass_order(version) for version in ("13.0.0", "12.10.1", "12.1.1", "11.3.0.post1")]
    [0, 1, 2, 2]
    """
    major, minor = map(int, pillow_version.split(".")[:2])
    return next(order for since, order in _PASS_ORDERS.items() if (major, minor) >= since)


PASS_ORDER = pass_order(PIL.__version__)

Pixels = npt.NDArray[np.int64]


def write_resize(
    block: StepBlock, step: int, heights: Pixels | int, widths: Pixels | int, pillow_filter: int
) -> None:
    """Write RESIZE steps."""
    block.kind[:, step] = StepKind.RESIZE
    block.i[:, step, 0] = heights
    block.i[:, step, 1] = widths
    block.i[:, step, 2] = pillow_filter
    block.i[:, step, 3] = PASS_ORDER


def resized_sizes(
    heights: Pixels, widths: Pixels, shorter: int | None, longest: int | None
) -> tuple[Pixels, Pixels]:
    """Sizes after ``Resize(shorter, max_size=longest)``, rounded down as torchvision does.

    Args:
        heights: int64, shape (n,), in pixels.
        widths: int64, shape (n,), in pixels.
        shorter: length for the shorter side; None fits the longer side to ``longest``.
        longest: upper limit for the longer side.

    >>> import numpy as np
    >>> height, width = resized_sizes(np.array([400, 300]), np.array([300, 500]), 256, None)
    >>> height.tolist(), width.tolist()
    ([341, 256], [256, 426])
    """
    upright = widths <= heights
    short = np.where(upright, widths, heights)
    long = np.where(upright, heights, widths)
    if shorter is None:
        assert longest is not None
        new_short = (longest * short / long).astype(np.int64)
        new_long = np.full_like(new_short, longest)
    else:
        new_short = np.full_like(short, shorter)
        new_long = (shorter * long / short).astype(np.int64)
        if longest is not None:
            over = new_long > longest
            new_short = np.where(over, (longest * new_short / new_long).astype(np.int64), new_short)
            new_long = np.minimum(new_long, longest)
    return np.where(upright, new_long, new_short), np.where(upright, new_short, new_long)


class Resize(Op):
    """Resize to a fixed size, or the shorter side to a length.

    Args:
        size: (height, width), or (shorter side,), or None with ``longest`` alone.
        longest: upper limit for the longer side, or None.
        pillow_filter: Pillow's number of the resampling filter.
    """

    def __init__(
        self, size: tuple[int, ...] | None, longest: int | None, pillow_filter: int
    ) -> None:
        self.size = size
        self.longest = longest
        self.pillow_filter = pillow_filter

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        del draws, stream
        if self.size is not None and len(self.size) == 2:
            sizes.set(*self.size)
        else:
            shorter = self.size[0] if self.size else None
            sizes.heights, sizes.widths = resized_sizes(
                sizes.heights, sizes.widths, shorter, self.longest
            )
            self._refuse_empty(sizes)
        return {"height": sizes.heights, "width": sizes.widths}

    def _refuse_empty(self, sizes: Sizes) -> None:
        empty = np.minimum(sizes.heights, sizes.widths) < 1
        if not empty.any():
            return
        for row in np.flatnonzero(empty):
            sizes.fail(int(row), f"{self!r} would leave it without pixels: it is too narrow")
        sizes.heights = np.maximum(sizes.heights, 1)
        sizes.widths = np.maximum(sizes.widths, 1)

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        write_resize(block, 0, columns["height"], columns["width"], self.pillow_filter)

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        size = int(columns["width"][row]), int(columns["height"][row])
        return image if image.size == size else image.resize(size, self.pillow_filter)

    @override
    def known_size(self, size: tuple[int, int] | None) -> tuple[int, int] | None:
        if self.size is not None and len(self.size) == 2:
            return self.size[0], self.size[1]
        if size is None:
            return None
        shorter = self.size[0] if self.size else None
        height, width = resized_sizes(
            np.array([size[0]]), np.array([size[1]]), shorter, self.longest
        )
        return int(height[0]), int(width[0])

    @override
    def scaled(self, vertical: float, horizontal: float) -> Op:
        factor = (vertical * horizontal) ** 0.5
        longest = None if self.longest is None else round(self.longest * factor)
        if self.size is None:
            return Resize(None, longest, self.pillow_filter)
        if len(self.size) == 1:
            # The larger factor, so that a crop that follows still finds enough pixels.
            shorter = round(self.size[0] * max(vertical, horizontal))
            return Resize((shorter,), longest, self.pillow_filter)
        size = round(self.size[0] * vertical), round(self.size[1] * horizontal)
        return Resize(size, longest, self.pillow_filter)

    def __repr__(self) -> str:
        return f"Resize(size={self.size}, max_size={self.longest})"
