"""What the native pool tells of each image that it has put into an arena.

The layout of ``GATHERED`` is that of ``fl_gathered`` in the native library's ``capi.h``.
"""

from __future__ import annotations

from ctypes import POINTER, byref, c_int, c_uint64, c_void_p
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.native import library

__all__ = ["BLOCKS", "GATHERED", "PIXELS", "set_rooms"]

PIXELS, BLOCKS = 1, 2
"""Values of ``kind``; 0 where an image has failed."""

_PLANE = np.dtype(
    [
        (name, "<i4")
        for name in (
            "first_block",
            "last_block",
            "first_row",
            "last_row",
            "step_across",
            "step_down",
            "smooth_across",
            "smooth_down",
            "width",
            "height",
            "pieces",
            "reserved",
        )
    ]
)

GATHERED = np.dtype(
    [(name, "<u8") for name in ("room", "data", "axes", "pieces", "quant")]
    + [
        (name, "<i4")
        for name in (
            "kind",
            "channels",
            "colour",
            "finished",
            "left",
            "top",
            "width",
            "height",
            "taps_across",
            "taps_down",
            "vertical_first",
            "flip_left_right",
            "flip_top_down",
            "reserved",
        )
    ]
    + [("planes", _PLANE, (3,))]
)
"""One image; offsets are in bytes from the arena's beginning."""


@cache
def _functions() -> dict[str, Any]:
    pointer = POINTER(c_uint64)
    arguments = (c_void_p, c_uint64, c_void_p, c_void_p, pointer, POINTER(library.ErrorStruct))
    return library.functions({"fl_gather_rooms": (c_int, arguments)})


def set_rooms(items: npt.NDArray[Any], heights: npt.NDArray[Any], widths: npt.NDArray[Any]) -> int:
    """Say in each item's GATHERED how many bytes it may take; returns their sum.

    Args:
        items: dtype ITEM; ``out`` is the address of a GATHERED.
        heights: of the stored images, in pixels.
        widths: the same for their widths.

    Raises:
        NativeError: an item has a step that cannot be.
    """
    total, error = c_uint64(), library.ErrorStruct()
    sides = [np.ascontiguousarray(side, np.uint32) for side in (heights, widths)]
    code = _functions()["fl_gather_rooms"](
        items.ctypes.data,
        len(items),
        sides[0].ctypes.data,
        sides[1].ctypes.data,
        byref(total),
        byref(error),
    )
    library.check(code, error)
    return total.value
