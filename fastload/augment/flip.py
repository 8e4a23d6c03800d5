"""Flips."""

from __future__ import annotations

from typing import Any, ClassVar

from typing_extensions import override

from fastload.augment.draws import Draws, chance
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.steps import StepBlock, StepKind

__all__ = ["HorizontalFlip", "VerticalFlip"]


class _Flip(Op):
    keeps_size: ClassVar[bool] = True
    random: ClassVar[bool] = True
    kind: ClassVar[StepKind]

    def __init__(self, probability: float) -> None:
        self.probability = probability

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        del sizes
        return {"flip": chance(draws.words(stream)[:, 0, 0], self.probability)}

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        block.kind[:, 0] = columns["flip"] * int(self.kind)


class HorizontalFlip(_Flip):
    """Mirror left and right with a probability."""

    kind: ClassVar[StepKind] = StepKind.HFLIP

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        from torchvision.transforms import functional

        return functional.hflip(image) if columns["flip"][row] else image


class VerticalFlip(_Flip):
    """Mirror top and bottom with a probability."""

    kind: ClassVar[StepKind] = StepKind.VFLIP

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        from torchvision.transforms import functional

        return functional.vflip(image) if columns["flip"][row] else image
