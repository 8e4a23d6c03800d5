"""The native thread pool behind ctypes: items in, images in memory out.

The layouts of ``ITEM`` and ``OutputStruct`` are those of ``fl_item`` and ``fl_output`` in the
native library's ``pool.h``.
"""

from __future__ import annotations

import ctypes
import enum
import os
from ctypes import POINTER, byref, c_int, c_int32, c_int64, c_uint64, c_void_p
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.errors import EngineError
from fastload.native import library

__all__ = ["ITEM", "OutputDtype", "OutputLayout", "Pool", "PoolJob", "PoolOutput"]

ITEM = np.dtype(
    [
        ("payload", "<u8"),
        ("length", "<u8"),
        ("codec", "<i4"),
        ("crc32c", "<u4"),
        ("steps", "<u8"),
        ("step_count", "<i4"),
        ("out_height", "<i4"),
        ("out_width", "<i4"),
        ("status", "<i4"),
        ("verified", "<u8"),
        ("out", "<u8"),
        ("message", "S160"),
    ]
)
"""One image: where its bytes, steps and output lie (addresses), and how it went (not 0: badly)."""


class OutputDtype(enum.IntEnum):
    """Type of the values written."""

    UINT8 = 0
    FLOAT16 = 1
    BFLOAT16 = 2
    FLOAT32 = 3


class OutputLayout(enum.IntEnum):
    """Order of the values: channels first, or last."""

    PLANAR = 0
    INTERLEAVED = 1


@dataclass(frozen=True)
class PoolOutput:
    """What is written for each image of a job.

    Attributes:
        dtype: type of the values.
        layout: their order.
        channels: 3, or 1 to write the first channel alone.
        table: address of channels * 256 values: [c, v] is written for level v of channel c;
            0 writes the levels themselves.
    """

    dtype: OutputDtype
    layout: OutputLayout
    channels: int
    table: int


class OutputStruct(ctypes.Structure):
    """``fl_output``."""

    _fields_ = (
        ("dtype", c_int32),
        ("layout", c_int32),
        ("channels", c_int32),
        ("reserved", c_int32),
        ("table", c_uint64),
    )


@cache
def _functions() -> dict[str, Any]:
    """The pool's C functions.

    Raises:
        EngineError: the native library was built without them.
    """
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "fl_pool_create": (c_int, (c_int32, POINTER(c_void_p), POINTER(library.ErrorStruct))),
        "fl_pool_destroy": (None, (c_void_p,)),
        "fl_pool_submit": (
            c_int,
            (
                c_void_p,
                c_void_p,
                c_uint64,
                POINTER(OutputStruct),
                c_int32,
                POINTER(c_void_p),
                POINTER(library.ErrorStruct),
            ),
        ),
        "fl_job_wait": (c_int, (c_void_p, c_int64)),
        "fl_job_free": (None, (c_void_p,)),
    }
    loaded = ctypes.CDLL(str(library.LIBRARY_PATH))
    for name, (result, arguments) in signatures.items():
        if not hasattr(loaded, name):
            raise EngineError(
                f"The native library {library.LIBRARY_PATH} has no {name}: it is older than this "
                "Python code. Build it again (`python setup.py build_native`) or reinstall "
                'fastload; engine="torch" works without it.'
            )
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return {name: getattr(loaded, name) for name in signatures}


def _check(code: int, error: library.ErrorStruct) -> None:
    if code != 0:
        raise library.NativeError(error.code, error.message.decode("utf-8", "replace"))


class Pool:
    """Native threads that work on items until the pool is closed.

    Args:
        threads: how many, at least 1.

    Raises:
        EngineError: the native library has no pool.
        NativeError: the threads cannot be started.
    """

    def __init__(self, threads: int) -> None:
        self._handle: c_void_p | None = None
        self._process = os.getpid()
        self._functions = _functions()
        handle, error = c_void_p(), library.ErrorStruct()
        _check(self._functions["fl_pool_create"](threads, byref(handle), byref(error)), error)
        self._handle = handle

    def submit(self, items: npt.NDArray[Any], output: PoolOutput, *, fast: bool) -> PoolJob:
        """Begin a job and return at once.

        Args:
            items: dtype ITEM, contiguous; they and all they point to must live until the job is
                closed.
            output: what to write.
            fast: make JPEGs smaller plane by plane, to pixels near the exact ones.
        """
        struct = OutputStruct(output.dtype, output.layout, output.channels, 0, output.table)
        job, error = c_void_p(), library.ErrorStruct()
        code = self._functions["fl_pool_submit"](
            self._handle,
            items.ctypes.data,
            len(items),
            byref(struct),
            int(fast),
            byref(job),
            byref(error),
        )
        _check(code, error)
        return PoolJob(self, job, self._functions)

    def close(self) -> None:
        """Stop the threads. No job may be open; a second time does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None and self.is_own():
            self._functions["fl_pool_destroy"](handle)

    def is_own(self) -> bool:
        """Whether this process made the pool: a fork inherits the memory, but not the threads."""
        return self._process == os.getpid()

    def __del__(self) -> None:
        self.close()


class PoolJob:
    """Items under way. Keeps its pool alive."""

    def __init__(self, pool: Pool, handle: c_void_p, functions: dict[str, Any]) -> None:
        self._pool = pool
        self._handle: c_void_p | None = handle
        self._functions = functions

    def wait(self, milliseconds: int) -> bool:
        """Whether all items are done, after waiting at most so long (-1: for ever)."""
        if self._handle is None:
            return True
        return bool(self._functions["fl_job_wait"](self._handle, milliseconds) == 0)

    def close(self) -> None:
        """Cancel items not begun, wait for the others; a second time does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None and self._pool.is_own():
            self._functions["fl_job_free"](handle)

    def __del__(self) -> None:
        self.close()
