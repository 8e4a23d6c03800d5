"""Resampling along one axis, by the weights and with the rounding of Pillow."""

from __future__ import annotations

import triton
import triton.language as tl

from fastload.engines.cuda.columns import (
    PASS_ACROSS,
    PASS_AXIS,
    PASS_FIELDS,
    PASS_HEIGHT,
    PASS_PROGRAM,
    PASS_RESULT,
    PASS_SIZE,
    PASS_SOURCE,
    PASS_SOURCE_CHANNEL,
    PASS_SOURCE_PIXEL,
    PASS_SOURCE_ROW,
    PASS_TAPS,
    PASS_WIDTH,
)

__all__ = ["resample"]

# Behind the point of a weight, as in fastload/native/resize_axis.h.
_WEIGHT_BITS = tl.constexpr(22)
_HALF = tl.constexpr(1 << 21)


@triton.jit
def resample(bytes_, words, passes, pass_of, TILE: tl.constexpr):
    """Make TILE pixels of the result of one pass, row by row, as three planes.

    Program: TILE pixels beside each other. Lanes: pixels.

    Args:
        bytes_: the batch's memory as uint8.
        words: the same as int32.
        passes: table PASS.
        pass_of: int32: each program's row of it, the image.
        TILE: pixels of a program.
    """
    program = tl.program_id(0)
    this = passes + tl.load(pass_of + program).to(tl.int64) * PASS_FIELDS
    width = tl.load(this + PASS_WIDTH).to(tl.int32)
    height = tl.load(this + PASS_HEIGHT).to(tl.int32)
    pixel = (program - tl.load(this + PASS_PROGRAM).to(tl.int32)) * TILE + tl.arange(0, TILE)
    valid = pixel < width * height
    y = pixel // width
    x = pixel % width
    across = tl.load(this + PASS_ACROSS)
    place = tl.where(across == 1, x, y)
    axis = words + tl.load(this + PASS_AXIS)
    taps = tl.load(this + PASS_TAPS).to(tl.int32)
    first = tl.load(axis + place, mask=valid, other=0)
    weights = axis + tl.where(across == 1, width, height) + place * taps
    row = tl.load(this + PASS_SOURCE_ROW).to(tl.int32)
    column = tl.load(this + PASS_SOURCE_PIXEL).to(tl.int32)
    source = bytes_ + tl.load(this + PASS_SOURCE) + tl.where(across == 1, y * row, x * column)
    step = tl.where(across == 1, column, row)
    channel = tl.load(this + PASS_SOURCE_CHANNEL)
    last = tl.load(this + PASS_SIZE).to(tl.int32) - 1
    red = tl.full((TILE,), _HALF, tl.int32)
    green = tl.full((TILE,), _HALF, tl.int32)
    blue = tl.full((TILE,), _HALF, tl.int32)
    for tap in range(taps):
        weight = tl.load(weights + tap, mask=valid, other=0)
        # An output pixel with fewer taps has weights of 0 for the others.
        from_ = source + tl.minimum(first + tap, last) * step
        red += weight * tl.load(from_, mask=valid, other=0).to(tl.int32)
        green += weight * tl.load(from_ + channel, mask=valid, other=0).to(tl.int32)
        blue += weight * tl.load(from_ + 2 * channel, mask=valid, other=0).to(tl.int32)
    out = bytes_ + tl.load(this + PASS_RESULT) + pixel
    tl.store(out, _level(red), mask=valid)
    tl.store(out + width * height, _level(green), mask=valid)
    tl.store(out + 2 * width * height, _level(blue), mask=valid)


@triton.jit
def _level(sum_):
    return tl.minimum(tl.maximum(sum_ >> _WEIGHT_BITS, 0), 255).to(tl.uint8)
