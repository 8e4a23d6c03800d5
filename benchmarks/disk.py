"""Files and folders alike: their bytes, their removal."""

from __future__ import annotations

import shutil
from pathlib import Path


def size(path: Path) -> int:
    """Bytes of a file or of all files below a folder; 0 when there is nothing."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def discard(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
