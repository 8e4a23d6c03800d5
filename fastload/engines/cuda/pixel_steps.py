"""Colour operations on the images of a batch, bit for bit those of ``fastload/native/colour.cpp``.

A contrast needs the mean of the whole image as the steps before have left it. So the steps of an
image are done in phases, one launch each: a phase ends before the next contrast, and leaves the
sum of the luma for it.
"""

from __future__ import annotations

import triton
import triton.language as tl

from fastload.augment.steps import StepKind

__all__ = ["COLOUR_KINDS", "colour_phase"]

COLOUR_KINDS = (
    StepKind.BRIGHTNESS,
    StepKind.CONTRAST,
    StepKind.SATURATION,
    StepKind.HUE,
    StepKind.GRAYSCALE,
)
"""What this kernel does."""

_BRIGHTNESS = tl.constexpr(int(StepKind.BRIGHTNESS))
_CONTRAST = tl.constexpr(int(StepKind.CONTRAST))
_SATURATION = tl.constexpr(int(StepKind.SATURATION))
_HUE = tl.constexpr(int(StepKind.HUE))
_GRAYSCALE = tl.constexpr(int(StepKind.GRAYSCALE))


@triton.jit
def _luma(red, green, blue):
    """ITU-R BT.601, in 1/65536."""
    return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16


@triton.jit
def _blend(base, level, factor):
    """From ``base`` (factor 0) to ``level`` (1) and beyond; truncates, like Pillow."""
    moved = (level - base).to(tl.float32) * factor
    mixed = base.to(tl.float32) + moved
    return tl.minimum(tl.maximum(mixed, 0.0), 255.0).to(tl.int32)


@triton.jit
def _hexagon_position(red, green, blue, high, low):
    """Of a hue, in [-1, 5]: the middle channel decides where in a sector, their order which."""
    middle = red + green + blue - high - low
    chroma = tl.maximum(high - low, 1)
    gap = tl.div_rn((high - middle).to(tl.float32), chroma.to(tl.float32))
    red_high = red == high
    green_high = (red != high) & (green == high)
    blue_low = (blue == low).to(tl.int32)
    red_low = (red == low).to(tl.int32)
    start = tl.where(
        red_high, 2 * blue_low - 1, tl.where(green_high, 3 - 2 * blue_low, 5 - 2 * red_low)
    )
    sign = tl.where(
        red_high, 1 - 2 * blue_low, tl.where(green_high, 2 * blue_low - 1, 2 * red_low - 1)
    )
    return start.to(tl.float32) + sign.to(tl.float32) * gap


@triton.jit
def _scaled(value, loss):
    return (value.to(tl.float64) * (1.0 - loss) + 0.5).to(tl.int32)


@triton.jit
def _turn_hue(red, green, blue, factor):
    """By ``factor`` of the circle, through HSV of 8 bits."""
    high = tl.maximum(red, tl.maximum(green, blue))
    low = tl.minimum(red, tl.minimum(green, blue))
    position = _hexagon_position(red, green, blue, high, low).to(tl.float64)
    turn = position / 6.0 + 1.0
    fraction = (turn - turn.to(tl.int32).to(tl.float64)).to(tl.float32)
    hue = (fraction.to(tl.float64) * 255.0).to(tl.int32)
    ratio = tl.div_rn((high - low).to(tl.float32), tl.maximum(high, 1).to(tl.float32))
    part = (ratio.to(tl.float64) * 255.0).to(tl.int32).to(tl.float32)
    saturation = tl.div_rn(part, tl.full(part.shape, 255.0, tl.float32)).to(tl.float64)
    hue = (hue + (factor.to(tl.float64) * 255.0).to(tl.int32)) & 255

    place = hue.to(tl.float64) * 6.0 / 255.0
    whole = place.to(tl.int32)
    past = (place - whole.to(tl.float64)).to(tl.float32).to(tl.float64)
    sector = whole % 6
    falls = sector % 2 == 1
    loss = saturation * tl.where(whole % 2 == 1, past, 1.0 - past)
    # Pillow multiplies in single precision where the middle channel falls.
    middle = _scaled(high, tl.where(falls, loss.to(tl.float32).to(tl.float64), loss))
    least = _scaled(high, saturation)
    red = tl.where(
        (sector == 0) | (sector == 5), high, tl.where((sector == 1) | (sector == 4), middle, least)
    )
    green = tl.where(
        (sector == 1) | (sector == 2), high, tl.where((sector == 0) | (sector == 3), middle, least)
    )
    blue = tl.where(
        (sector == 3) | (sector == 4), high, tl.where((sector == 2) | (sector == 5), middle, least)
    )
    return red, green, blue


@triton.jit
def colour_phase(
    levels, kinds, factors, bounds, lumas, PHASE: tl.constexpr, STEPS, pixels, TILE: tl.constexpr
):
    """Do the steps of one phase on TILE pixels of an image, in place.

    Programs: (TILE pixels beside each other, image). Lanes: pixels.

    Args:
        levels: uint8, (images, 3, pixels).
        kinds: int32, (images, STEPS): StepKind, 0 for nothing.
        factors: float32, (images, STEPS).
        bounds: int32, (phases + 1, images): phase p has the steps bounds[p] to bounds[p + 1] - 1;
            all but phase 0 begin with a contrast, or are empty.
        lumas: int64, (phases + 1, images): sums of the luma of each image when a phase begins.
        PHASE: the one to be done.
        STEPS: of an image.
        pixels: of an image.
        TILE: pixels of a program.
    """
    image = tl.program_id(1)
    images = tl.num_programs(1)
    pixel = tl.program_id(0) * TILE + tl.arange(0, TILE)
    valid = pixel < pixels
    at = levels + image.to(tl.int64) * 3 * pixels + pixel
    red = tl.load(at, mask=valid, other=0).to(tl.int32)
    green = tl.load(at + pixels, mask=valid, other=0).to(tl.int32)
    blue = tl.load(at + 2 * pixels, mask=valid, other=0).to(tl.int32)
    first = tl.load(bounds + PHASE * images + image)
    last = tl.load(bounds + (PHASE + 1) * images + image)
    for step in range(first, last):
        kind = tl.load(kinds + image * STEPS + step)
        factor = tl.load(factors + image * STEPS + step)
        luma = _luma(red, green, blue)
        if kind == _BRIGHTNESS:
            red = _blend(red * 0, red, factor)
            green = _blend(green * 0, green, factor)
            blue = _blend(blue * 0, blue, factor)
        elif kind == _CONTRAST:
            sum_ = tl.load(lumas + PHASE * images + image)
            mean = ((2 * sum_ + pixels) // (2 * pixels)).to(tl.int32)
            red = _blend(mean, red, factor)
            green = _blend(mean, green, factor)
            blue = _blend(mean, blue, factor)
        elif kind == _SATURATION:
            red = _blend(luma, red, factor)
            green = _blend(luma, green, factor)
            blue = _blend(luma, blue, factor)
        elif kind == _HUE:
            red, green, blue = _turn_hue(red, green, blue, factor)
        elif kind == _GRAYSCALE:
            red = luma
            green = luma
            blue = luma
    tl.store(at, red.to(tl.uint8), mask=valid)
    tl.store(at + pixels, green.to(tl.uint8), mask=valid)
    tl.store(at + 2 * pixels, blue.to(tl.uint8), mask=valid)
    luma = tl.where(valid, _luma(red, green, blue), 0)
    tl.atomic_add(lumas + (PHASE + 1) * images + image, tl.sum(luma.to(tl.int64)))
