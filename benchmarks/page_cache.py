"""What the system keeps of files in memory, and how to make it let go of it.

A page that a process has mapped stays: whoever maps the files must have ended before.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import numpy as np

from benchmarks import disk
from benchmarks.disk import files_of

# Metadata that somebody reads meanwhile; more than this, and the files are not cold.
TOLERATED_SHARE = 0.02

_LIBC = ctypes.CDLL(None, use_errno=True)


class StillCachedError(Exception):
    """Files stayed in memory; the message says how much of them, and why that may be."""


def drop(path: Path) -> None:
    """Write what is not on the disk yet, then let the system forget the pages of all files.

    Raises:
        StillCachedError: it did not.
    """
    for file in files_of(path):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
    kept, whole = resident(path), disk.size(path)
    if kept > TOLERATED_SHARE * whole:
        raise StillCachedError(
            f"{kept / 1e6:.1f} of {whole / 1e6:.1f} MB of {path.name} stayed in the page cache: a "
            "process maps them, or they are on a file system in memory (choose another one by "
            "--basetemp)"
        )


def resident(path: Path) -> int:
    """Bytes of all files that are in memory, in whole pages, as ``mincore`` tells.

    Raises:
        OSError: the system does not tell.
    """
    return sum(map(_resident_of_file, files_of(path)))


def _resident_of_file(file: Path) -> int:
    size = file.stat().st_size
    if not size:
        return 0
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        view = np.frombuffer(pages, np.uint8)
        present = np.zeros(-(-size // mmap.PAGESIZE), np.uint8)
        start, result = (ctypes.c_void_p(array.ctypes.data) for array in (view, present))
        failed = _LIBC.mincore(start, ctypes.c_size_t(size), result)
        del view  # the map cannot be closed under it
    if failed:
        raise OSError(ctypes.get_errno(), "mincore failed", str(file))
    return int((present & 1).sum()) * mmap.PAGESIZE
