"""Colour: jitter and grey."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from fastload.augment.draws import Draws, chance, uniform
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.steps import StepBlock, StepKind

__all__ = ["ColorJitter", "Grayscale", "RandomGrayscale"]

Range = tuple[float, float] | None

_KINDS = (StepKind.BRIGHTNESS, StepKind.CONTRAST, StepKind.SATURATION, StepKind.HUE)
_ADJUSTMENTS = ("adjust_brightness", "adjust_contrast", "adjust_saturation", "adjust_hue")


class ColorJitter(Op):
    """Brightness, contrast, saturation and hue by random factors, in a random order.

    Args:
        ranges: (low, high) of the factor of each of the four, None for one that stays.
    """

    steps: ClassVar[int] = 4
    keeps_size: ClassVar[bool] = True
    random: ClassVar[bool] = True

    def __init__(self, ranges: tuple[Range, Range, Range, Range]) -> None:
        self.ranges = ranges
        self._kinds = np.array(
            [kind if bounds else StepKind.NONE for kind, bounds in zip(_KINDS, ranges, strict=True)]
        )

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        del sizes
        words = draws.words(stream, 2)
        # Sorting four independent words makes each of the 24 orders equally likely.
        order = words[:, 0].argsort(axis=1)
        factors = np.zeros(words[:, 1].shape, np.float64)
        for place, bounds in enumerate(self.ranges):
            if bounds is not None:
                factors[:, place] = uniform(words[:, 1, place], *bounds)
        return {"order": order, "factor": factors}

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        order = columns["order"]
        block.kind[:] = self._kinds[order]
        block.f[:, :, 0] = np.take_along_axis(columns["factor"], order, axis=1)

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        from torchvision.transforms import functional

        for place in columns["order"][row]:
            if self.ranges[place] is not None:
                adjust = getattr(functional, _ADJUSTMENTS[place])
                image = adjust(image, float(columns["factor"][row, place]))
        return image


class RandomGrayscale(Op):
    """Three equal channels with a probability.

    Args:
        probability: of becoming grey.
    """

    keeps_size: ClassVar[bool] = True
    random: ClassVar[bool] = True

    def __init__(self, probability: float) -> None:
        self.probability = probability

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        del sizes
        return {"grey": chance(draws.words(stream)[:, 0, 0], self.probability)}

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        block.kind[:, 0] = columns["grey"] * int(StepKind.GRAYSCALE)

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        return _grey(image) if columns["grey"][row] else image


class Grayscale(Op):
    """Grey: three equal channels (the output writes one of them where one is asked for)."""

    keeps_size: ClassVar[bool] = True

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        del draws, stream, sizes
        return {}

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        del columns
        block.kind[:, 0] = StepKind.GRAYSCALE

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        del columns, row
        return _grey(image)


def _grey(image: Any) -> Any:
    from torchvision.transforms import functional

    return functional.to_grayscale(image, 3)
