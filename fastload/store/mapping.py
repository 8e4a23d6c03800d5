"""Files mapped into memory, without keeping them open.

Python's ``mmap`` holds a file descriptor for each mapping (before 3.13 without a choice); a pack of
some thousand shards would meet the limit on open files.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["map_file", "release_pages"]

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
)
_libc.munmap.restype = ctypes.c_int
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_libc.madvise.restype = ctypes.c_int
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)

_FAILED = ctypes.c_void_p(-1).value


def map_file(path: Path) -> memoryview:
    """The bytes of a file, read-only; unmapped when the last view of them is gone.

    Raises:
        OSError: the file cannot be opened, or is empty.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(handle).st_size
        address = _libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, handle, 0)
        if address == _FAILED:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(handle)
    mapped = (ctypes.c_ubyte * size).from_address(address)
    weakref.finalize(mapped, _libc.munmap, address, size).atexit = False
    return memoryview(mapped).cast("B").toreadonly()


def release_pages(*columns: NDArray[np.generic]) -> None:
    """Let the system have back the pages of mapped columns that were read from end to end.

    A look at all rows of a large index would otherwise count as this process's memory for good.
    What is wanted again is mapped again when it is read.

    Args:
        columns: arrays over a file mapped by :func:`map_file`.
    """
    for column in columns:
        start = -(-column.ctypes.data // mmap.PAGESIZE) * mmap.PAGESIZE
        end = (column.ctypes.data + column.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
        if end > start:
            # Advice: where it is not taken, nothing is lost.
            _libc.madvise(start, end - start, mmap.MADV_DONTNEED)
