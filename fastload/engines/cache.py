"""The process's cache: records kept in memory between epochs, behind ctypes."""

from __future__ import annotations

import ctypes
import os
import weakref
from ctypes import POINTER, byref, c_int, c_uint64, c_void_p
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.native import library
from fastload.store import Pack

__all__ = ["CacheFacts", "RecordCache", "shared_cache"]

Keys = npt.NDArray[np.uint64]

# A key is a pack's number and a record's id.
_RECORD_BITS = 40


class _FactsStruct(ctypes.Structure):
    """``fl_cache_facts``."""

    _fields_ = tuple((name, c_uint64) for name in ("budget", "bytes", "records", "evictions"))


@dataclass(frozen=True)
class CacheFacts:
    """How full a cache is.

    Attributes:
        budget: bytes it may take.
        bytes: bytes it takes.
        records: how many records it keeps something of.
        evictions: how many it has let go of.
    """

    budget: int
    bytes: int
    records: int
    evictions: int


@cache
def _functions() -> dict[str, Any]:
    error = POINTER(library.ErrorStruct)
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "fl_cache_create": (c_int, (c_uint64, POINTER(c_void_p), error)),
        "fl_cache_destroy": (None, (c_void_p,)),
        "fl_cache_set_budget": (c_int, (c_void_p, c_uint64, error)),
        "fl_cache_get_facts": (None, (c_void_p, POINTER(_FactsStruct))),
        "fl_cache_plan": (
            c_int,
            (c_void_p, c_void_p, c_void_p, c_uint64, c_uint64, c_uint64, c_uint64, error),
        ),
    }
    return library.functions(signatures)


class RecordCache:
    """Keeps coefficients of JPEG and pixels of QOI records; safe to use from several threads.

    What it keeps does not change what is loaded, only how long that takes. Times are counted in
    images that the process loads (``clock``).

    Attributes:
        clock: images that loaders have asked for so far.
    """

    def __init__(self) -> None:
        self._functions = _functions()
        handle, error = c_void_p(), library.ErrorStruct()
        library.check(self._functions["fl_cache_create"](0, byref(handle), byref(error)), error)
        self.handle: c_void_p = handle
        self._process = os.getpid()
        self._packs: dict[tuple[str, str], int] = {}
        self._wishes: weakref.WeakKeyDictionary[object, int] = weakref.WeakKeyDictionary()
        self.clock = 0

    def keys(self, pack: Pack, records: npt.NDArray[np.int64]) -> Keys:
        """What records are called here: uint64, shape (n,)."""
        return np.uint64(self._number(pack) << _RECORD_BITS) + records.astype(np.uint64)

    def _number(self, pack: Pack) -> int:
        # The same folder packed anew is another pack.
        identity = (os.path.realpath(pack.location), pack.manifest.index.sha256)
        return self._packs.setdefault(identity, len(self._packs))

    def expect(self, pack: Pack, time: int) -> None:
        """Say anew that all that is kept of a pack is wanted at one time."""
        first = self._number(pack) << _RECORD_BITS
        nothing = np.empty(0, np.uint64)
        self._plan(nothing, nothing, first, first + (1 << _RECORD_BITS), time)

    def plan(self, keys: Keys, next_uses: Keys) -> None:
        """Say anew when records are wanted next; of a key that comes twice, the last counts."""
        self._plan(keys, next_uses, 0, 0, 0)

    def _plan(
        self, keys: Keys, next_uses: Keys, others_from: int, others_to: int, otherwise: int
    ) -> None:
        keys, next_uses = np.ascontiguousarray(keys), np.ascontiguousarray(next_uses)
        error = library.ErrorStruct()
        code = self._functions["fl_cache_plan"](
            self.handle,
            keys.ctypes.data,
            next_uses.ctypes.data,
            len(keys),
            others_from,
            others_to,
            otherwise,
            byref(error),
        )
        library.check(code, error)

    def wish(self, loader: object, budget: int) -> None:
        """Let a loader have so many bytes; the largest wish of all living loaders counts."""
        if loader not in self._wishes:
            weakref.finalize(loader, _fit, weakref.ref(self)).atexit = False
        self._wishes[loader] = budget
        self._set_budget()

    def forget(self, loader: object) -> None:
        """Let a loader have nothing any more."""
        self._wishes.pop(loader, None)
        self._set_budget()

    def _set_budget(self) -> None:
        error = library.ErrorStruct()
        budget = max(self._wishes.values(), default=0)
        library.check(
            self._functions["fl_cache_set_budget"](self.handle, budget, byref(error)), error
        )

    def facts(self) -> CacheFacts:
        """How full it is."""
        struct = _FactsStruct()
        self._functions["fl_cache_get_facts"](self.handle, byref(struct))
        return CacheFacts(struct.budget, struct.bytes, struct.records, struct.evictions)

    def is_own(self) -> bool:
        """Whether this process made it: a fork may inherit a lock that no thread will open."""
        return self._process == os.getpid()

    def __del__(self) -> None:
        if hasattr(self, "_process") and self.is_own():
            self._functions["fl_cache_destroy"](self.handle)


def _fit(reference: weakref.ref[RecordCache]) -> None:
    """A loader is gone, and its wish with it."""
    shared = reference()
    if shared is not None and shared.is_own():
        shared._set_budget()


_shared: RecordCache | None = None


def shared_cache() -> RecordCache:
    """The one cache of this process, which all loaders share."""
    global _shared
    if _shared is None or not _shared.is_own():
        _shared = RecordCache()
    return _shared
