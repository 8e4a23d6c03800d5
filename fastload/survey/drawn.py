"""What the steps of a plan do to an image: in words, and as the outline of what is left of it.

The steps are the very records that the native engine runs (``fastload.augment.steps``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.augment.resize import FILTERS
from fastload.augment.steps import StepKind

__all__ = ["outline", "words"]

Floats = npt.NDArray[np.float64]

# Several names mean one filter to Pillow: the first is torchvision's usual one.
_FILTER_NAMES = {number: name for name, number in reversed(FILTERS.items())}
_SAME = 0.005


def outline(steps: npt.NDArray[Any], height: int, width: int) -> Floats:
    """Where the finished sample lies in the stored image.

    Each geometric step leads from places of its result to places of what it is given; one behind
    the other, they lead from the sample's corners to the image. Pixels are 1 wide, 0 is the edge.

    Args:
        steps: of one image, dtype STEP, shape (steps,).
        height: of the stored image, in pixels.
        width: the same.

    Returns:
        shape (4, 2): (x, y) of the sample's upper left, upper right, lower right and lower left
        corner, in parts of the image's width and height; beyond 0 to 1 where it was padded.
    """
    back, size = np.eye(3), (float(height), float(width))
    for step in steps:
        matrix, size = _geometry(step, *size)
        back = back @ matrix
    bottom, right = size
    corners = np.array([[0, right, right, 0], [0, 0, bottom, bottom], [1, 1, 1, 1]])
    places: Floats = (back @ corners)[:2].T / (width, height)
    return places


def _geometry(step: Any, height: float, width: float) -> tuple[Floats, tuple[float, float]]:
    """From a place of the result to that of the image given, and the result's size."""
    i, kind = step["i"], int(step["kind"])
    if kind == StepKind.CROP:
        return _affine(1, 1, i[1], i[0]), (float(i[2]), float(i[3]))
    if kind == StepKind.RESIZE:
        return _affine(width / i[1], height / i[0], 0, 0), (float(i[0]), float(i[1]))
    if kind == StepKind.HFLIP:
        return _affine(-1, 1, width, 0), (height, width)
    if kind == StepKind.VFLIP:
        return _affine(1, -1, 0, height), (height, width)
    if kind == StepKind.PAD:
        return _affine(1, 1, -i[0], -i[1]), (height + i[1] + i[3], width + i[0] + i[2])
    if kind == StepKind.WARP:
        return np.vstack([step["f"].reshape(2, 3), [0, 0, 1]]), (height, width)
    return np.eye(3), (height, width)


def _affine(across: float, down: float, x: float, y: float) -> Floats:
    return np.array([[across, 0, x], [0, down, y], [0, 0, 1]], np.float64)


def words(steps: npt.NDArray[Any], height: int, width: int) -> list[str]:
    """Each step that does something, with its drawn parameters.

    Args:
        steps: of one image, dtype STEP, shape (steps,).
        height: of the stored image, in pixels.
        width: the same.
    """
    told, size = [], (float(height), float(width))
    for step in steps:
        if step["kind"] != StepKind.NONE:
            told.append(_WORDS[StepKind(int(step["kind"]))](step["i"], step["f"], *size))
        size = _geometry(step, *size)[1]
    return told


def _crop(i: Any, f: Any, height: float, width: float) -> str:
    del f
    share = i[2] * i[3] / (height * width)
    return f"crop {i[3]} × {i[2]} at ({i[1]}, {i[0]}): {100 * share:.0f} % of the area"


def _resize(i: Any, f: Any, height: float, width: float) -> str:
    del f, height, width
    return f"resize to {i[1]} × {i[0]}, {_FILTER_NAMES[int(i[2])]}"


def _pad(i: Any, f: Any, height: float, width: float) -> str:
    del f, height, width
    return f"pad left {i[0]}, top {i[1]}, right {i[2]}, bottom {i[3]}"


def _erase(i: Any, f: Any, height: float, width: float) -> str:
    del f, height, width
    return f"erase {i[3]} × {i[2]} at ({i[1]}, {i[0]})"


def _warp(i: Any, f: Any, height: float, width: float) -> str:
    del i
    back = np.vstack([f.reshape(2, 3), [0, 0, 1]])
    return ", ".join(_of_warp(back, height, width)) or "a warp that changes nothing"


def _of_warp(back: Floats, height: float, width: float) -> Iterator[str]:
    """Turn, scale, shear and shift of the middle: what the way there consists of."""
    there = np.linalg.inv(back)
    (a, b), (c, d) = there[:2, :2]
    degrees = math.degrees(math.atan2(c, a))
    along = math.hypot(a, c)
    across = (a * d - b * c) / along
    shear = math.degrees(math.atan2(a * b + c * d, along * across))
    middle = np.array([width / 2, height / 2, 1])
    shift = (there @ middle - middle)[:2]
    if abs(degrees) > _SAME:
        yield f"turned {abs(degrees):.1f}° {'right' if degrees > 0 else 'left'}"
    scale = math.sqrt(abs(along * across))
    if abs(scale - 1) > _SAME:
        yield f"scaled × {scale:.2f}"
    if abs(shear) > _SAME:
        yield f"sheared {-shear:.1f}°"  # counted as torchvision does
    if np.abs(shift).max() > _SAME:
        yield f"middle shifted by ({shift[0]:.0f}, {shift[1]:.0f})"


def _of_factor(name: str) -> Callable[..., str]:
    return lambda i, f, height, width: f"{name} × {f[0]:.2f}"


def _plain(name: str) -> Callable[..., str]:
    return lambda i, f, height, width: name


_WORDS: dict[StepKind, Callable[[Any, Any, float, float], str]] = {
    StepKind.CROP: _crop,
    StepKind.RESIZE: _resize,
    StepKind.HFLIP: _plain("mirrored"),
    StepKind.VFLIP: _plain("upside down"),
    StepKind.PAD: _pad,
    StepKind.BRIGHTNESS: _of_factor("brightness"),
    StepKind.CONTRAST: _of_factor("contrast"),
    StepKind.SATURATION: _of_factor("saturation"),
    StepKind.HUE: lambda i, f, height, width: f"hue {360 * f[0]:+.0f}°",
    StepKind.GRAYSCALE: _plain("grey"),
    StepKind.ERASE: _erase,
    StepKind.WARP: _warp,
    StepKind.SHARPNESS: _of_factor("sharpness"),
    StepKind.POSTERIZE: lambda i, f, height, width: f"{i[0]} bits a colour",
    StepKind.SOLARIZE: lambda i, f, height, width: f"inverted from level {f[0]:.0f} on",
    StepKind.INVERT: _plain("inverted"),
    StepKind.AUTOCONTRAST: _plain("contrast stretched"),
    StepKind.EQUALIZE: _plain("levels equalised"),
    StepKind.BLUR: lambda i, f, height, width: f"blurred, sigma {f[0]:.2f} pixels",
}
