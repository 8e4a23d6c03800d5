"""What RandAugment and its kin do to levels, in DALI's arithmetic, rounded where Pillow rounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from nvidia.dali import fn, types
from nvidia.dali import math as dali_math

__all__ = ["autocontrast", "equalize", "invert", "posterize", "sharpness", "solarize"]

_HIGHEST = 255.0
_PLANE = [0, 1]
# Pillow computes in double precision: what is whole there may be a little less here.
_NEARLY = 1e-3
_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13


def _levels(values: Any) -> Any:
    return fn.cast(dali_math.floor(dali_math.clamp(values, 0.0, _HIGHEST)), dtype=types.UINT8)


def invert(images: Any) -> Any:
    """The distance to white."""
    return fn.cast(_HIGHEST - images, dtype=types.UINT8)


def solarize(images: Any, threshold: Any) -> Any:
    """Levels from a threshold on inverted."""
    bright = fn.cast(images >= threshold, dtype=types.FLOAT)
    return fn.cast(images + bright * (_HIGHEST - 2.0 * images), dtype=types.UINT8)


def posterize(images: Any, step: Any) -> Any:
    """Levels cut to multiples of a step, a power of two."""
    return _levels(dali_math.floor(images / step) * step)


def autocontrast(images: Any) -> Any:
    """The lowest level of each channel becomes 0, the highest 255."""
    low = fn.cast(fn.reductions.min(images, axes=_PLANE), dtype=types.FLOAT)
    high = fn.cast(fn.reductions.max(images, axes=_PLANE), dtype=types.FLOAT)
    flat = fn.cast(high == low, dtype=types.FLOAT)
    # A channel of one level stays as it is.
    scale = (1.0 - flat) * (_HIGHEST / dali_math.max(high - low, 1.0)) + flat
    return _levels((images - low * (1.0 - flat)) * scale + _NEARLY)


def equalize(images: Any) -> Any:
    """Make each range of levels about equally frequent, channel by channel.

    DALI counts the pixels up to a level, Pillow those below it: of the negative, the one is the
    other. Pillow divides by a whole number of pixels, the ``step``, which is put right afterwards;
    what DALI has rounded leaves a level of difference.
    """
    spread = _HIGHEST - fn.equalize(invert(images))
    highest = fn.reductions.max(images, axes=_PLANE)
    counted = fn.reductions.sum(
        fn.cast(images != highest, dtype=types.FLOAT), axes=_PLANE, dtype=types.FLOAT
    )
    step = dali_math.floor(counted / _HIGHEST)
    few = fn.cast(step == 0.0, dtype=types.FLOAT)
    stretch = counted / (_HIGHEST * dali_math.max(step, 1.0))
    return _levels(few * images + (1.0 - few) * dali_math.floor(spread * stretch + 0.5))


def sharpness(images: Any, factor: Any, inner: Any) -> Any:
    """Blend with the picture smoothed over 3 x 3 pixels; the outermost pixels stay.

    Args:
        images: node.
        factor: node; 1 leaves the images as they are.
        inner: node: height and width without the outermost pixels.
    """
    own = fn.cast(images, dtype=types.FLOAT)
    smooth = dali_math.floor(fn.filter(own, types.Constant(_SMOOTH)) + 0.5)
    inside = fn.erase(own * 0.0, anchor=[1.0, 1.0], shape=inner, axis_names="HW", fill_value=1.0)
    return _levels(own + inside * (smooth - own) * (1.0 - factor) + _NEARLY)
