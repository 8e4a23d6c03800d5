"""A lowered transform, and the plans drawn from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.augment.draws import Draws
from fastload.augment.erase import RandomErasing
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.output import Output
from fastload.augment.steps import empty_steps
from fastload.errors import TransformError

__all__ = ["Note", "Pipeline", "Plan"]


@dataclass(frozen=True)
class Note:
    """One transform of the Compose and, where it is not lowered, why not."""

    transform: Any
    reason: str | None


@dataclass(frozen=True)
class Plan:
    """The drawn parameters of one batch.

    Attributes:
        columns: one dict of arrays for each operation of the pipeline, rows as in the batch.
        heights, widths: int64, shape (n,): sizes of the outputs in pixels.
        failures: rows that an operation cannot take, with the reason.
    """

    columns: tuple[Columns, ...]
    heights: npt.NDArray[np.int64]
    widths: npt.NDArray[np.int64]
    failures: dict[int, str]

    def __len__(self) -> int:
        return len(self.heights)

    def take(self, rows: npt.NDArray[np.int64]) -> Plan:
        """The plan of some rows."""
        columns = tuple(
            {name: column[rows] for name, column in one.items()} for one in self.columns
        )
        failures = {
            place: self.failures[int(row)]
            for place, row in enumerate(rows)
            if int(row) in self.failures
        }
        return Plan(columns, self.heights[rows], self.widths[rows], failures)

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) where all outputs have the same, else None."""
        if not len(self):
            return None
        height, width = int(self.heights[0]), int(self.widths[0])
        same = (self.heights == height).all() and (self.widths == width).all()
        return (height, width) if same else None


@dataclass(frozen=True)
class Pipeline:
    """What an engine runs for each image, and what torchvision runs after it.

    Attributes:
        ops: operations in order; RandomErasing ones last (they work on the output).
        output: what the engine hands over.
        suffix: transforms that run per sample on what the engine hands over.
        notes: one for each transform given.
    """

    ops: tuple[Op, ...]
    output: Output
    suffix: tuple[Callable[[Any], Any], ...]
    notes: tuple[Note, ...]

    @property
    def random(self) -> bool:
        """Whether any operation of the engine draws."""
        return any(op.random for op in self.ops)

    @property
    def pixel_ops(self) -> tuple[Op, ...]:
        """The operations on 8-bit pixels."""
        return tuple(op for op in self.ops if not isinstance(op, RandomErasing))

    def plan(self, draws: Draws, heights: npt.NDArray[Any], widths: npt.NDArray[Any]) -> Plan:
        """Draw the parameters for images of the given sizes.

        Args:
            draws: the random words of the images' positions.
            heights: integers, shape (n,), of the stored images in pixels.
            widths: the same for their widths.
        """
        sizes = Sizes(heights, widths)
        columns = tuple(op.draw(draws, stream, sizes) for stream, op in enumerate(self.ops, 1))
        return Plan(columns, sizes.heights, sizes.widths, sizes.failures)

    def write_steps(self, plan: Plan) -> npt.NDArray[Any]:
        """The plan as step records: dtype STEP, shape (n, steps), at least one step."""
        total = sum(op.steps for op in self.ops)
        records, block = empty_steps(len(plan), max(total, 1))
        start = 0
        for op, columns in zip(self.ops, plan.columns, strict=True):
            op.fill(columns, block.part(start, start + op.steps))
            start += op.steps
        return records

    def known_size(self) -> tuple[int, int] | None:
        """(height, width) of every output, where it does not depend on the image."""
        size: tuple[int, int] | None = None
        for op in self.ops:
            size = op.known_size(size)
        return size

    def at_resolution(self, height: int, width: int) -> Pipeline:
        """The same pipeline for outputs of another size; every size in it is scaled alike.

        Raises:
            TransformError: the output's size is not fixed, or cannot become the one asked for.
        """
        size = self.known_size()
        if size is None:
            raise TransformError(
                "The resolution cannot be set: the transform's output has no fixed size. "
                "Add a RandomResizedCrop, CenterCrop or Resize((height, width))."
            )
        factors = height / size[0], width / size[1]
        scaled = replace(self, ops=tuple(op.scaled(*factors) for op in self.ops))
        if scaled.known_size() != (height, width):
            raise TransformError(
                f"The transform gives {scaled.known_size()} when scaled to {(height, width)}: "
                "its paddings do not divide. Choose another resolution."
            )
        return scaled
