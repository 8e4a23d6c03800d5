"""Colour operations in DALI's arithmetic, rounded where Pillow rounds."""

from __future__ import annotations

from typing import Any

from nvidia.dali import fn, types
from nvidia.dali import math as dali_math

__all__ = ["brightness", "contrast", "grey", "hue", "saturation"]

_SIXTHS = 6.0
_LEVELS = 255.0
_HUES = 256.0


def _levels(values: Any) -> Any:
    """Floats to levels, cut off below as Pillow's conversion from float does."""
    return fn.cast(dali_math.floor(dali_math.clamp(values, 0.0, _LEVELS)), dtype=types.UINT8)


def _luma(images: Any) -> Any:
    """Grey levels, shape (height, width, 1)."""
    return fn.color_space_conversion(images, image_type=types.RGB, output_type=types.GRAY)


def grey(images: Any) -> Any:
    """Three equal channels."""
    return fn.color_space_conversion(_luma(images), image_type=types.GRAY, output_type=types.RGB)


def brightness(images: Any, factor: Any) -> Any:
    """Blend with black."""
    return _levels(images * factor)


def contrast(images: Any, factor: Any) -> Any:
    """Blend with the mean grey level, rounded."""
    mean = dali_math.floor(fn.reductions.mean(_luma(images)) + 0.5)
    return _levels(images * factor + mean * (1.0 - factor))


def saturation(images: Any, factor: Any) -> Any:
    """Blend with the grey picture."""
    return _levels(images * factor + _luma(images) * (1.0 - factor))


def hue(images: Any, shift: Any) -> Any:
    """Turn the hue; ``shift`` is in Pillow's 256 levels of hue.

    Hue and saturation are cut to 8 bits on the way there, as Pillow cuts them: a level of hue is
    up to six levels of a channel.
    """
    values = fn.cast(images, dtype=types.FLOAT)
    red, green, blue = (values[:, :, place : place + 1] for place in range(3))
    high = dali_math.max(dali_math.max(red, green), blue)
    low = dali_math.min(dali_math.min(red, green), blue)
    span = high - low
    # Grey has no hue; its saturation is 0 whatever is divided by.
    divisor = dali_math.max(span, 1.0)
    is_red = fn.cast(red == high, dtype=types.FLOAT)
    is_green = fn.cast(green == high, dtype=types.FLOAT) * (1.0 - is_red)
    is_blue = 1.0 - is_red - is_green
    turn = (
        is_red * ((green - blue) / divisor)
        + is_green * (2.0 + (blue - red) / divisor)
        + is_blue * (4.0 + (red - green) / divisor)
    ) / _SIXTHS
    turn = turn - dali_math.floor(turn)
    hues = dali_math.floor(turn * _LEVELS) + shift
    hues = hues - _HUES * dali_math.floor(hues / _HUES)
    sixths = hues * (_SIXTHS / _LEVELS)
    share = dali_math.floor(span * _LEVELS / dali_math.max(high, 1.0)) / _LEVELS
    return fn.cast(
        fn.cat(*(_channel(high, share, sixths + offset) for offset in (5.0, 3.0, 1.0)), axis=2),
        dtype=types.UINT8,
    )


def _channel(high: Any, share: Any, sixths: Any) -> Any:
    """A channel's levels: the formula of HSV without cases."""
    around = sixths - _SIXTHS * dali_math.floor(sixths / _SIXTHS)
    slope = dali_math.clamp(dali_math.min(around, 4.0 - around), 0.0, 1.0)
    return dali_math.floor(high * (1.0 - share * slope) + 0.5)
