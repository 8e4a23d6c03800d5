"""Memory for batches, used again once nobody looks at it any more.

Fresh memory costs a page fault for every 4 KiB, about as much as decoding into it. A slot's memory
is lent out as a NumPy array that the batch's tensors keep alive; when the last of them is gone, the
memory comes back by itself. A batch that the user keeps is therefore never overwritten.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Slots"]

_ALIGNMENT = 64

Bytes = npt.NDArray[np.uint8]


class Slots:
    """Recycles memory of one size at a time.

    Args:
        spare: how many unused slots to keep.
    """

    def __init__(self, spare: int) -> None:
        self._spare = spare
        self._free: list[Bytes] = []
        self._size = 0
        # Tensors may die in any thread, and in the middle of `take` through garbage collection.
        self._lock = threading.RLock()

    def take(self, size: int) -> Bytes:
        """Lend ``size`` bytes, aligned to 64: they are taken back when the array is gone."""
        with self._lock:
            if size > self._size or size * 2 < self._size:
                self._free.clear()
                self._size = size
            memory = self._free.pop() if self._free else _aligned(self._size)
        lent = memory[:size]
        weakref.finalize(lent, self._give_back, memory).atexit = False
        return lent

    def _give_back(self, memory: Bytes) -> None:
        with self._lock:
            if len(memory) == self._size and len(self._free) < self._spare:
                self._free.append(memory)

    def clear(self) -> None:
        """Let go of the spare slots; those lent out are freed as they come back."""
        with self._lock:
            self._free.clear()
            self._size = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"spare": self._spare}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["spare"])  # type: ignore[misc]


def _aligned(size: int) -> Bytes:
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size]
