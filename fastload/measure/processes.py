"""A process and its descendants, from Linux's ``/proc``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["folder_of", "tree"]


def folder_of(pid: int) -> Path:
    """What the kernel tells about a process."""
    return Path("/proc", str(pid))


def tree(pid: int) -> Iterator[int]:
    """``pid`` and its descendants; one that ends meanwhile, and what it has begun, may be missing.

    >>> import os
    >>> next(tree(os.getpid())) == os.getpid()
    True
    """
    yield pid
    for file in folder_of(pid).glob("task/*/children"):
        try:
            children = file.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            yield from tree(int(child))
