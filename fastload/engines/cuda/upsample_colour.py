"""From samples to the pixels of a box: libjpeg's "fancy" upsampling and colours, bit for bit."""

from __future__ import annotations

import triton
import triton.language as tl

from fastload.engines.cuda.columns import (
    BOX_COLOUR,
    BOX_FIELDS,
    BOX_HEIGHT,
    BOX_LEFT,
    BOX_PIXELS,
    BOX_PROGRAM,
    BOX_TOP,
    BOX_WIDTH,
    PLANE_FIELDS,
    PLANE_FIRST_BLOCK,
    PLANE_FIRST_ROW,
    PLANE_HEIGHT,
    PLANE_SAMPLES,
    PLANE_SMOOTH_ACROSS,
    PLANE_SMOOTH_DOWN,
    PLANE_STEP_ACROSS,
    PLANE_STEP_DOWN,
    PLANE_STRIDE,
    PLANE_WIDTH,
)

__all__ = ["upsample_colour"]

_YCC = tl.constexpr(1)

# ITU-T T.871's factors with 16 bits behind the point.
_RED_OF_CR = tl.constexpr(round(1.402 * 65536))
_BLUE_OF_CB = tl.constexpr(round(1.772 * 65536))
_GREEN_OF_CB = tl.constexpr(round(0.34414 * 65536))
_GREEN_OF_CR = tl.constexpr(round(0.71414 * 65536))
_HALF = tl.constexpr(1 << 15)


@triton.jit
def _neighbour(place, step, smooth, size):
    """The sample of a pixel along one axis, and the other one that is mixed with it."""
    near = place // step
    far = tl.where(place % 2 == 1, near + 1, near - 1)
    return near, tl.where(smooth == 1, tl.minimum(tl.maximum(far, 0), size - 1), near)


@triton.jit
def _samples(bytes_, plane, y, x, valid):
    """The samples of some pixels, upsampled: three parts of the nearer one, one of the farther."""
    smooth_across = tl.load(plane + PLANE_SMOOTH_ACROSS).to(tl.int32)
    smooth_down = tl.load(plane + PLANE_SMOOTH_DOWN).to(tl.int32)
    step_across = tl.load(plane + PLANE_STEP_ACROSS).to(tl.int32)
    step_down = tl.load(plane + PLANE_STEP_DOWN).to(tl.int32)
    width = tl.load(plane + PLANE_WIDTH).to(tl.int32)
    height = tl.load(plane + PLANE_HEIGHT).to(tl.int32)
    near_x, far_x = _neighbour(x, step_across, smooth_across, width)
    near_y, far_y = _neighbour(y, step_down, smooth_down, height)
    stride = tl.load(plane + PLANE_STRIDE)
    corner = bytes_ + tl.load(plane + PLANE_SAMPLES)
    corner -= 8 * (tl.load(plane + PLANE_FIRST_ROW) * stride + tl.load(plane + PLANE_FIRST_BLOCK))
    near_row = corner + near_y * stride
    far_row = corner + far_y * stride
    near_near = tl.load(near_row + near_x, mask=valid, other=0).to(tl.int32)
    near_far = tl.load(near_row + far_x, mask=valid, other=0).to(tl.int32)
    far_near = tl.load(far_row + near_x, mask=valid, other=0).to(tl.int32)
    far_far = tl.load(far_row + far_x, mask=valid, other=0).to(tl.int32)
    near = tl.where(smooth_down == 1, 3 * near_near + far_near, near_near)
    far = tl.where(smooth_down == 1, 3 * near_far + far_far, near_far)
    mixed = tl.where(smooth_across == 1, 3 * near + far, near)
    # What rounds: of one axis 1 and 2 by turns, of both 8 and 7.
    odd_x = x % 2
    one_axis = 1 + tl.where(smooth_across == 1, odd_x, y % 2)
    both = smooth_across + smooth_down
    rounding = tl.where(both == 2, 8 - odd_x, tl.where(both == 1, one_axis, 0))
    return (mixed + rounding) >> (2 * both)


@triton.jit
def _level(value):
    return tl.minimum(tl.maximum(value, 0), 255).to(tl.uint8)


@triton.jit
def upsample_colour(bytes_, boxes, box_of, planes, TILE: tl.constexpr):
    """Make TILE pixels of a box, row by row, as planes of red, green and blue, or of grey.

    Program: TILE pixels beside each other. Lanes: pixels.

    Args:
        bytes_: the batch's memory as uint8.
        boxes: table BOX.
        box_of: int32: each program's row of it, the image.
        planes: table PLANE.
        TILE: pixels of a program.
    """
    program = tl.program_id(0)
    image = tl.load(box_of + program).to(tl.int64)
    box = boxes + image * BOX_FIELDS
    plane = planes + 3 * image * PLANE_FIELDS
    width = tl.load(box + BOX_WIDTH).to(tl.int32)
    pixels = width * tl.load(box + BOX_HEIGHT).to(tl.int32)
    pixel = (program - tl.load(box + BOX_PROGRAM).to(tl.int32)) * TILE + tl.arange(0, TILE)
    valid = pixel < pixels
    y = tl.load(box + BOX_TOP).to(tl.int32) + pixel // width
    x = tl.load(box + BOX_LEFT).to(tl.int32) + pixel % width
    out = bytes_ + tl.load(box + BOX_PIXELS) + pixel
    colour = tl.load(box + BOX_COLOUR)
    first = _samples(bytes_, plane, y, x, valid)
    if colour == 0:
        tl.store(out, _level(first), mask=valid)
    else:
        second = _samples(bytes_, plane + PLANE_FIELDS, y, x, valid)
        third = _samples(bytes_, plane + 2 * PLANE_FIELDS, y, x, valid)
        if colour == _YCC:
            cb = second - 128
            cr = third - 128
            green = -_GREEN_OF_CB * cb - _GREEN_OF_CR * cr
            red = first + ((_RED_OF_CR * cr + _HALF) >> 16)
            blue = first + ((_BLUE_OF_CB * cb + _HALF) >> 16)
            tl.store(out, _level(red), mask=valid)
            tl.store(out + pixels, _level(first + ((green + _HALF) >> 16)), mask=valid)
            tl.store(out + 2 * pixels, _level(blue), mask=valid)
        else:
            tl.store(out, _level(first), mask=valid)
            tl.store(out + pixels, _level(second), mask=valid)
            tl.store(out + 2 * pixels, _level(third), mask=valid)
