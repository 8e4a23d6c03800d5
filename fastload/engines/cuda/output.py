"""The last write: levels through their table into the batch, flipped, with boxes erased."""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["write_output"]


@triton.jit
def write_output(
    levels,
    flips,
    table,
    boxes,
    values,
    out,
    image_stride,
    channel_stride,
    row_stride,
    pixel_stride,
    height,
    width,
    CHANNELS: tl.constexpr,
    BOXES: tl.constexpr,
    TILE: tl.constexpr,
):
    """Write TILE pixels of an image.

    Programs: (TILE pixels beside each other, image). Lanes: pixels.

    Args:
        levels: uint8, (images, 3, height, width).
        flips: int32, (images, 2): left to right, top to bottom.
        table: of the output's dtype, (CHANNELS, 256).
        boxes: int32, (images, BOXES, 4): top, left, height, width of what is erased.
        values: of the output's dtype, (images, BOXES, 3): what is written there.
        out: of the output's dtype.
        image_stride: of ``out``, in values.
        channel_stride: the same.
        row_stride: the same.
        pixel_stride: the same.
        height: of an image, in pixels.
        width: of an image, in pixels.
        CHANNELS: that are written, 1 or 3.
        BOXES: of an image that may be erased.
        TILE: pixels of a program.
    """
    image = tl.program_id(1).to(tl.int64)
    pixel = tl.program_id(0) * TILE + tl.arange(0, TILE)
    valid = pixel < height * width
    y = pixel // width
    x = pixel % width
    from_x = tl.where(tl.load(flips + 2 * image) == 1, width - 1 - x, x)
    from_y = tl.where(tl.load(flips + 2 * image + 1) == 1, height - 1 - y, y)
    source = levels + image * 3 * height * width + from_y * width + from_x
    to = out + image * image_stride + y * row_stride + x * pixel_stride
    for channel in tl.static_range(CHANNELS):
        level = tl.load(source + channel * height * width, mask=valid, other=0).to(tl.int32)
        value = tl.load(table + channel * 256 + level)
        for box in tl.static_range(BOXES):
            this = image * BOXES + box
            top = tl.load(boxes + 4 * this)
            left = tl.load(boxes + 4 * this + 1)
            inside = (y >= top) & (y < top + tl.load(boxes + 4 * this + 2))
            inside = inside & (x >= left) & (x < left + tl.load(boxes + 4 * this + 3))
            value = tl.where(inside, tl.load(values + 3 * this + channel), value)
        tl.store(to + channel * channel_stride, value, mask=valid)
