"""Files and folders alike: their bytes, their removal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path


def files_of(path: Path) -> Iterator[Path]:
    """A file, or all files below a folder; none when there is nothing."""
    return (file for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())


def size(path: Path) -> int:
    """Bytes of a file or of all files below a folder; 0 when there is nothing."""
    return sum(file.stat().st_size for file in files_of(path))


def discard(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
