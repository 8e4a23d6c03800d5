"""RandomApply: some operations together, or none of them."""

from __future__ import annotations

from typing import Any, ClassVar

from typing_extensions import override

from fastload.augment.draws import Draws, chance
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.steps import StepBlock

__all__ = ["Sometimes"]

# Streams are 16 bits: an operation's own number below, the place inside a RandomApply above.
_PLACE = 1 << 8


class Sometimes(Op):
    """Operations that keep the size, all applied with a probability.

    Args:
        ops: what to apply.
        probability: of applying.
    """

    keeps_size: ClassVar[bool] = True
    random: ClassVar[bool] = True

    def __init__(self, ops: tuple[Op, ...], probability: float) -> None:
        self.ops = ops
        self.probability = probability
        self.steps = sum(op.steps for op in ops)  # type: ignore[misc]

    @override
    def draw(self, draws: Draws, stream: int, sizes: Sizes) -> Columns:
        columns: Columns = {"apply": chance(draws.words(stream)[:, 0, 0], self.probability)}
        for place, op in enumerate(self.ops):
            inner = op.draw(draws, stream + _PLACE * (place + 1), sizes)
            columns |= {f"{place}.{name}": column for name, column in inner.items()}
        return columns

    def _inner(self, columns: Columns, place: int) -> Columns:
        prefix = f"{place}."
        return {
            name.removeprefix(prefix): column
            for name, column in columns.items()
            if name.startswith(prefix)
        }

    @override
    def fill(self, columns: Columns, block: StepBlock) -> None:
        start = 0
        for place, op in enumerate(self.ops):
            op.fill(self._inner(columns, place), block.part(start, start + op.steps))
            start += op.steps
        block.kind[~columns["apply"]] = 0

    @override
    def apply(self, image: Any, columns: Columns, row: int) -> Any:
        if not columns["apply"][row]:
            return image
        for place, op in enumerate(self.ops):
            image = op.apply(image, self._inner(columns, place), row)
        return image
