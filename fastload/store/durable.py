"""Files that are there in whole or not at all, also after a crash of the machine.

A file is written under a temporary name, synced, renamed, and its folder synced.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO

__all__ = ["TEMPORARY", "publish", "sync_folder", "write_file"]

TEMPORARY = ".tmp"


def write_file(path: Path, data: bytes) -> None:
    """Write a small file durably."""
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        with temporary.open("wb") as file:
            file.write(data)
            publish(file, path)
    except OSError:
        # On a full disk, even half a file is in the way.
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def publish(file: IO[bytes], path: Path) -> None:
    """Give an open temporary file its final name once its bytes are on the disk."""
    file.flush()
    os.fsync(file.fileno())
    Path(file.name).replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
