"""Affine warps of an image that keep its size: matrices as Pillow takes them.

A matrix (a, b, c, d, e, f) leads from a pixel (x, y) of the result to the place
(a x + b y + c, d x + e y + f) of the image that it is taken from. The numbers are torchvision's and
Pillow's to the last bit, since a nearest pixel is another one where they are off by that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.augment.steps import StepBlock, StepKind

__all__ = ["Affine", "affine_matrices", "each", "rotation_matrices", "write_warps"]

Floats = npt.NDArray[np.float64]


def each(function: Callable[[float], float], values: Floats) -> Floats:
    """``function`` of each value; NumPy's own may differ from ``math``'s in the last bit."""
    return np.asarray(np.frompyfunc(function, 1, 1)(values), np.float64)


@dataclass(frozen=True)
class Affine:
    """Parameters of torchvision's ``affine``, each float64 of shape (n,) or a number.

    Attributes:
        angle: degrees, clockwise.
        across, down: translation in pixels.
        scale: factor.
        shear_x, shear_y: degrees.
    """

    angle: Any = 0.0
    across: Any = 0.0
    down: Any = 0.0
    scale: Any = 1.0
    shear_x: Any = 0.0
    shear_y: Any = 0.0


def affine_matrices(affine: Affine, center_x: Floats, center_y: Floats) -> Floats:
    """The matrices of torchvision's ``affine`` on PIL images: float64, shape (n, 6).

    The way back through M = T C R S H C^-1: translation, centre, rotation, scale, shears. Of
    torchvision's two ways of rounding (v1's and v2's differ in the last bit) it is v1's.

    Args:
        affine: what to do.
        center_x: float64, shape (n,): what the rotation leaves in place, in pixels.
        center_y: the same, downward.

    >>> affine_matrices(Affine(across=3.0), np.array([5.0]), np.array([4.0])).tolist()
    [[1.0, 0.0, -3.0, 0.0, 1.0, 0.0]]
    """
    degrees = np.broadcast_arrays(affine.angle, affine.shear_x, affine.shear_y, center_x)[:3]
    turn, shear_x, shear_y = each(math.radians, np.stack(degrees))
    cos_shear, tan_shear = each(math.cos, shear_y), each(math.tan, shear_x)
    cos, sin = each(math.cos, turn - shear_y), each(math.sin, turn - shear_y)
    a, c = cos / cos_shear, sin / cos_shear
    b = -cos * tan_shear / cos_shear - each(math.sin, turn)
    d = -sin * tan_shear / cos_shear + each(math.cos, turn)
    m0, m1, m3, m4 = d / affine.scale, -b / affine.scale, -c / affine.scale, a / affine.scale
    from_x, from_y = -center_x - affine.across, -center_y - affine.down
    m2 = m0 * from_x + m1 * from_y + center_x
    m5 = m3 * from_x + m4 * from_y + center_y
    # A zero has no sign here, so that identity is written in one way alone.
    return np.stack([m0, m1, m2, m3, m4, m5], axis=-1) + 0.0


def rotation_matrices(degrees: Floats, center_x: Floats, center_y: Floats) -> Floats:
    """The matrices of Pillow's ``rotate``, float64, shape (n, 6).

    Args:
        degrees: float64, shape (n,), counter-clockwise.
        center_x: float64, shape (n,): what stays in place, in pixels.
        center_y: the same, downward.

    >>> rotation_matrices(np.array([90.0]), np.array([2.0]), np.array([2.0])).tolist()
    [[0.0, -1.0, 4.0, 1.0, 0.0, 0.0]]
    """
    turn = -each(math.radians, degrees % 360.0)
    cos = each(lambda angle: round(math.cos(angle), 15), turn)
    sin = each(lambda angle: round(math.sin(angle), 15), turn)
    across = cos * -center_x + sin * -center_y + center_x
    down = -sin * -center_x + cos * -center_y + center_y
    return np.stack([cos, sin, across, -sin, cos, down], axis=-1) + 0.0


def write_warps(
    block: StepBlock,
    chosen: npt.NDArray[np.bool_],
    matrices: Floats,
    interpolation: int,
    fill: tuple[int, int, int],
) -> None:
    """Write WARP steps.

    Args:
        block: where to.
        chosen: bool, shape (n, steps): which of its steps.
        matrices: float64, shape (chosen, 6).
        interpolation: Pillow's number of how pixels are read.
        fill: levels of R, G, B outside of the image.
    """
    block.kind[chosen] = StepKind.WARP
    block.i[chosen, :4] = interpolation, *fill
    block.f[chosen] = matrices
