"""JPEG files cut to the rows that are needed, many at once (``fl_cut_jpegs``)."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_int, c_uint64, c_void_p
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.native import library

__all__ = ["CUT", "Arena"]

CUT = np.dtype(
    [
        ("payload", "<u8"),
        ("length", "<u8"),
        ("verified", "<u8"),
        ("crc32c", "<u4"),
        ("status", "<i4"),
        ("first", "<i4"),
        ("last", "<i4"),
        ("data", "<u8"),
        ("size", "<u8"),
        ("top", "<i4"),
        ("reserved", "<i4"),
    ]
)
"""``fl_cut``: where a record's bytes lie, the pixel rows wanted, and where the cut file lies."""


@cache
def _functions() -> dict[str, Any]:
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "fl_cut_jpegs": (
            c_int,
            (c_void_p, c_uint64, POINTER(c_void_p), POINTER(library.ErrorStruct)),
        ),
        "fl_buffer_free": (None, (c_void_p,)),
    }
    return library.functions(signatures)


class Arena:
    """Memory for cut files, freed with this object and filled anew by each call.

    Fresh memory costs more than the copying: keep an arena for the next batch.
    """

    def __init__(self) -> None:
        self._handle = c_void_p()
        self._functions = _functions()

    def cut(self, cuts: npt.NDArray[Any]) -> list[npt.NDArray[np.uint8]]:
        """Leave out of each record the rows that are not needed, in one call without the GIL.

        Args:
            cuts: dtype CUT, contiguous; all but status, data, size and top are given. A record
                that fails gets a status and an empty file; what cannot be cut is its very payload.

        Returns:
            the files, valid until the next call and while the payloads live.
        """
        error = library.ErrorStruct()
        code = self._functions["fl_cut_jpegs"](
            cuts.ctypes.data, len(cuts), byref(self._handle), byref(error)
        )
        library.check(code, error)
        sizes = np.where(cuts["status"] == 0, cuts["size"], 0)
        return [
            np.frombuffer((ctypes.c_uint8 * size).from_address(address), np.uint8)
            for address, size in zip(cuts["data"].tolist(), sizes.tolist(), strict=True)
        ]

    def __del__(self) -> None:
        self._functions["fl_buffer_free"](self._handle)
