"""The native thread pool behind ctypes: items in, images in memory out.

The layouts of ``ITEM`` and ``OutputStruct`` are those of ``fl_item`` and ``fl_output`` in the
native library's ``pool.h``.
"""

from __future__ import annotations

import ctypes
import enum
import os
from ctypes import POINTER, byref, c_int, c_int32, c_int64, c_uint64, c_void_p
from dataclasses import astuple, dataclass, fields
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.engines.cache import RecordCache
from fastload.native import library

__all__ = ["ITEM", "JobFacts", "OutputDtype", "OutputLayout", "Pool", "PoolJob", "PoolOutput"]

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
        ("key", "<u8"),
        ("next_use", "<u8"),
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


@dataclass(frozen=True)
class JobFacts:
    """What the images of a job took.

    Attributes:
        read: seconds of threads spent in reading records from the pack, checksums included.
        entropy: in undoing entropy coding, or in unpacking what has none.
        inverse_dct: in inverse DCTs.
        colour: in chroma upsampling and colour conversion.
        resize: in resampling.
        rest: in colour operations and the last write.
        kept: images of which the cache had all that was needed.
        bytes: of the other images' records.
    """

    read: float = 0.0
    entropy: float = 0.0
    inverse_dct: float = 0.0
    colour: float = 0.0
    resize: float = 0.0
    rest: float = 0.0
    kept: int = 0
    bytes: int = 0

    def __add__(self, other: JobFacts) -> JobFacts:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return JobFacts(*(one + another for one, another in pairs))


class _JobFactsStruct(ctypes.Structure):
    """``fl_job_facts``."""

    _fields_ = tuple((field.name, c_uint64) for field in fields(JobFacts))


_STAGES = 6


@cache
def _functions() -> dict[str, Any]:
    """The pool's C functions."""
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
                c_void_p,
                POINTER(c_void_p),
                POINTER(library.ErrorStruct),
            ),
        ),
        "fl_pool_gather": (
            c_int,
            (
                c_void_p,
                c_void_p,
                c_uint64,
                c_void_p,
                c_uint64,
                c_uint64,
                c_void_p,
                POINTER(c_void_p),
                POINTER(library.ErrorStruct),
            ),
        ),
        "fl_job_arena_used": (c_uint64, (c_void_p,)),
        "fl_job_get_facts": (None, (c_void_p, POINTER(_JobFactsStruct))),
        "fl_job_wait": (c_int, (c_void_p, c_int64)),
        "fl_job_free": (None, (c_void_p,)),
    }
    return library.functions(signatures)


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
        self._open_jobs = 0
        self._closed = False
        self._process = os.getpid()
        self._functions = _functions()
        handle, error = c_void_p(), library.ErrorStruct()
        library.check(
            self._functions["fl_pool_create"](threads, byref(handle), byref(error)), error
        )
        self._handle = handle

    def submit(
        self,
        items: npt.NDArray[Any],
        output: PoolOutput,
        *,
        fast: bool,
        cache: RecordCache | None = None,
    ) -> PoolJob:
        """Begin a job and return at once.

        Args:
            items: dtype ITEM, contiguous; they and all they point to must live until the job is
                closed.
            output: what to write.
            fast: make JPEGs smaller plane by plane, to pixels near the exact ones.
            cache: what keeps the records that the items' keys name.
        """
        struct = OutputStruct(output.dtype, output.layout, output.channels, 0, output.table)
        job, error = c_void_p(), library.ErrorStruct()
        code = self._functions["fl_pool_submit"](
            self._handle,
            items.ctypes.data,
            len(items),
            byref(struct),
            int(fast),
            None if cache is None else cache.handle,
            byref(job),
            byref(error),
        )
        library.check(code, error)
        return PoolJob(self, job, self._functions, cache)

    def gather(
        self,
        items: npt.NDArray[Any],
        arena: int,
        size: int,
        used: int,
        cache: RecordCache | None = None,
    ) -> PoolJob:
        """Begin a job that puts what a GPU needs of the items into an arena; returns at once.

        Args:
            items: as for :meth:`submit`, ``out`` being the address of a GATHERED.
            arena: its address.
            size: of it in bytes.
            used: bytes at its beginning that are somebody else's.
            cache: what keeps the records that the items' keys name.
        """
        job, error = c_void_p(), library.ErrorStruct()
        code = self._functions["fl_pool_gather"](
            self._handle,
            items.ctypes.data,
            len(items),
            arena,
            size,
            used,
            None if cache is None else cache.handle,
            byref(job),
            byref(error),
        )
        library.check(code, error)
        return PoolJob(self, job, self._functions, cache)

    def close(self) -> None:
        """Stop the threads once no job is open any more; a second time does nothing."""
        self._closed = True
        self._stop_if_unused()

    def _stop_if_unused(self) -> None:
        if not self._closed or self._open_jobs:
            return
        handle, self._handle = self._handle, None
        if handle is not None and self.is_own():
            self._functions["fl_pool_destroy"](handle)

    def job_opened(self) -> None:
        """Go on for as long as a job is open: garbage collection may close the pool first."""
        self._open_jobs += 1

    def job_closed(self) -> None:
        """Stop, where the last job was waited for."""
        self._open_jobs -= 1
        self._stop_if_unused()

    def is_own(self) -> bool:
        """Whether this process made the pool: a fork inherits the memory, but not the threads."""
        return self._process == os.getpid()

    def __del__(self) -> None:
        self.close()


class PoolJob:
    """Items under way. Keeps its pool and its cache alive."""

    def __init__(
        self,
        pool: Pool,
        handle: c_void_p,
        functions: dict[str, Any],
        cache: RecordCache | None,
    ) -> None:
        self._pool = pool
        self._cache = cache
        self._handle: c_void_p | None = handle
        self._functions = functions
        pool.job_opened()

    def wait(self, milliseconds: int) -> bool:
        """Whether all items are done, after waiting at most so long (-1: for ever)."""
        if self._handle is None:
            return True
        return bool(self._functions["fl_job_wait"](self._handle, milliseconds) == 0)

    def arena_used(self) -> int:
        """Bytes of its arena that are in use, of a job that gathers and is done."""
        return int(self._functions["fl_job_arena_used"](self._handle))

    def facts(self) -> JobFacts:
        """What the items that are done have taken; nothing once the job is closed."""
        if self._handle is None:
            return JobFacts()
        struct = _JobFactsStruct()
        self._functions["fl_job_get_facts"](self._handle, byref(struct))
        values = [getattr(struct, field.name) for field in fields(JobFacts)]
        return JobFacts(*(value / 1e9 for value in values[:_STAGES]), *values[_STAGES:])

    def close(self) -> None:
        """Cancel items not begun, wait for the others; a second time does nothing."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        if self._pool.is_own():
            self._functions["fl_job_free"](handle)
        self._pool.job_closed()

    def __del__(self) -> None:
        self.close()
