"""The step records that carry drawn parameters to the native engine.

An image's way through the engine is a short array of steps, applied in order. Their layout is
shared with ``fastload/native/steps.h``; a plan is written into them column by column.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["STEP", "StepBlock", "StepKind", "empty_steps"]

STEP = np.dtype([("kind", "<i4"), ("i", "<i4", (7,)), ("f", "<f8", (6,))])
"""One step: what to do, seven integers, six floats (80 bytes)."""

_WORDS = STEP.itemsize // 4
_INTEGERS = slice(1, 8)
_FLOATS = slice(4, 10)  # in words of 8 bytes


class StepKind(IntEnum):
    """What a step does; the comments give the meaning of ``i`` and ``f``."""

    NONE = 0
    CROP = 1  # i: top, left, height, width (pixels outside the image are 0)
    RESIZE = 2  # i: height, width, filter (Pillow's number), order of the passes
    HFLIP = 3
    VFLIP = 4
    PAD = 5  # i: left, top, right, bottom, mode; f: fill, levels of R, G, B
    BRIGHTNESS = 6  # f: factor
    CONTRAST = 7  # f: factor
    SATURATION = 8  # f: factor
    HUE = 9  # f: shift, -0.5 to 0.5 of the circle
    GRAYSCALE = 10
    ERASE = 11  # i: top, left, height, width; f: value of R, G, B in units of the output
    WARP = 12  # i: interpolation (Pillow's number), fill of R, G, B; f: Pillow's affine matrix
    SHARPNESS = 13  # f: factor
    POSTERIZE = 14  # i: bits
    SOLARIZE = 15  # f: threshold
    INVERT = 16
    AUTOCONTRAST = 17
    EQUALIZE = 18
    BLUR = 19  # i: width, height of the kernel; f: sigma


@dataclass(frozen=True)
class StepBlock:
    """The steps of one operation for a batch of ``n`` images, as writable columns.

    Attributes:
        kind: int32, shape (n, steps).
        i: int32, shape (n, steps, 7).
        f: float64, shape (n, steps, 6).
    """

    kind: npt.NDArray[np.int32]
    i: npt.NDArray[np.int32]
    f: npt.NDArray[np.float64]

    def part(self, start: int, stop: int) -> StepBlock:
        """The columns of steps ``start`` to ``stop``."""
        return StepBlock(self.kind[:, start:stop], self.i[:, start:stop], self.f[:, start:stop])


def empty_steps(images: int, steps: int) -> tuple[npt.NDArray[Any], StepBlock]:
    """Room for ``steps`` steps of each image: the records and their columns (same memory).

    >>> records, block = empty_steps(2, 3)
    >>> records.shape, records.dtype == STEP, block.i.shape
    ((2, 3), True, (2, 3, 7))
    """
    words = np.zeros((images, steps, _WORDS), dtype=np.int32)
    floats = words.view(np.float64)
    block = StepBlock(words[:, :, 0], words[:, :, _INTEGERS], floats[:, :, _FLOATS])
    return words.view(STEP).reshape(images, steps), block
