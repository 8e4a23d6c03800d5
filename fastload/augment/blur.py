"""Gaussian blur."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from fastload.augment.draws import Draws, uniform
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.steps import StepBlock, StepKind

__all__ = ["GaussianBlur"]


class GaussianBlur(Op):
    """Blur by a Gaussian of random width, the image mirrored at its edges.

    Args:
        kernel: (width, height) in pixels, odd.
        sigma: (low, high) of the standard deviation in pixels.
    """

    keeps_size: ClassVar[bool] = True
    random: ClassVar[bool] = True

    def __init__(self, kernel: tuple[int, int], sigma: tuple[float, float]) -> None:
        self.kernel = kernel
        self.sigma = sigma

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        # torchvision mirrors without the edge, so a side must be longer than half the kernel.
        width, height = self.kernel
        small = (sizes.widths <= width // 2) | (sizes.heights <= height // 2)
        for row in np.flatnonzero(small):
            size = int(sizes.heights[row]), int(sizes.widths[row])
            sizes.fail(
                int(row),
                f"GaussianBlur's kernel of {height} x {width} pixels is too large for an image of "
                f"{size[0]} x {size[1]}: take a smaller kernel or move it behind a resize",
            )
        return {"sigma": uniform(draws.words(stream)[:, 0, 0], *self.sigma)}

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        block.kind[:, 0] = StepKind.BLUR
        block.i[:, 0, :2] = self.kernel
        block.f[:, 0, 0] = columns["sigma"]

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        from torchvision.transforms import functional

        sigma = float(columns["sigma"][row])
        return functional.gaussian_blur(image, list(self.kernel), [sigma, sigma])
