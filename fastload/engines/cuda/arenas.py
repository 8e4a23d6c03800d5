"""Main memory that batches are gathered in, page-locked, so that a GPU fetches it by itself.

Locking pages takes milliseconds, so an arena is used again: not before the copy out of it is done.
"""

from __future__ import annotations

import threading

import torch

from fastload.engines.cuda.lane import Mark

__all__ = ["Arenas"]

# Sizes are rounded up to a multiple of this, so that batches of about one size share arenas.
_STEP = 1 << 20


class Arenas:
    """Lends arenas; as many as are lent at once.

    Args:
        pinned: whether they are page-locked.
    """

    def __init__(self, pinned: bool) -> None:
        self._pinned = pinned
        self._free: list[tuple[torch.Tensor, Mark | None]] = []
        self._lock = threading.Lock()

    def take(self, size: int) -> torch.Tensor:
        """uint8, shape (at least ``size``,), that nothing reads or writes any more."""
        with self._lock:
            for place, (arena, mark) in enumerate(self._free):
                if len(arena) >= size and (mark is None or mark.query()):
                    del self._free[place]
                    return arena
            # What is too small will be too small again.
            self._free = [entry for entry in self._free if len(entry[0]) >= size]
        rounded = (size + _STEP - 1) // _STEP * _STEP
        return torch.empty(rounded, dtype=torch.uint8, pin_memory=self._pinned)

    def give_back(self, arena: torch.Tensor, mark: Mark | None) -> None:
        """Take an arena back; ``mark``: when the last copy out of it is done, None for now."""
        with self._lock:
            self._free.append((arena, mark))

    def clear(self) -> None:
        """Let go of what is not lent; torch keeps page-locked memory that a copy still reads."""
        with self._lock:
            self._free.clear()
