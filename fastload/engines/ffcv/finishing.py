"""What comes after FFCV's resize, done by the native library on the resized pixels."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_int, c_uint64, c_void_p
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.engines.canvas import Canvas
from fastload.engines.native import pool_output
from fastload.engines.pool import ITEM, OutputStruct
from fastload.native import library

__all__ = ["PIXELS", "PIXELS_CODEC", "ROW_PADDING", "finish"]

PIXELS = np.dtype([("rgb", "<u8"), ("height", "<u4"), ("width", "<u4")])
"""An image in memory, ``fl_pixels`` of capi.h: what an item of ``PIXELS_CODEC`` points to."""

PIXELS_CODEC = 256

ROW_PADDING = 128
"""Bytes behind the pixels that the native library may read, and does not use."""


@cache
def _process() -> Any:
    name = "fl_items_process"
    arguments = (c_void_p, c_uint64, POINTER(OutputStruct), POINTER(library.ErrorStruct))
    return library.functions({name: (c_int, arguments)})[name]


def finish(items: npt.NDArray[Any], canvas: Canvas) -> None:
    """Do an item's steps on its pixels and write it to its place, in the calling thread.

    Args:
        items: dtype ITEM, of ``PIXELS_CODEC``; their status tells which failed.
        canvas: which kind of image to write.
    """
    assert items.dtype == ITEM
    wanted, error = pool_output(canvas), library.ErrorStruct()
    struct = OutputStruct(wanted.dtype, wanted.layout, wanted.channels, 0, wanted.table)
    code = _process()(ctypes.c_void_p(items.ctypes.data), len(items), byref(struct), byref(error))
    library.check(code, error)
