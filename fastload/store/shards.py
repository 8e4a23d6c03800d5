"""The shards of a pack, mapped one by one when a record of theirs is first asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastload.errors import PackError
from fastload.store.mapping import map_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastload.store.index import Index
    from fastload.store.manifest import Manifest

__all__ = ["SHARDS_NAME", "Shards"]

SHARDS_NAME = "shards"


class Shards:
    """Where each record lies in memory.

    A shard stays mapped while this object lives. Threads may ask at once: mapping a shard twice is
    harmless and the first mapping is the one that is kept.
    """

    def __init__(self, folder: Path, manifest: Manifest, index: Index) -> None:
        self._folder = folder
        self._entries = manifest.shards
        self._index = index
        counts = [entry.records for entry in self._entries]
        self.first_records: NDArray[np.int64] = np.cumsum([0, *counts], dtype=np.int64)
        self._bases = np.zeros(len(self._entries), np.uint64)
        self._maps: dict[int, memoryview] = {}

    def shard_of(self, record: int) -> int:
        """Number of the shard that holds a record."""
        return int(np.searchsorted(self.first_records, record, "right")) - 1

    def path(self, shard: int) -> Path:
        """The file of a shard."""
        return self._folder / self._entries[shard].name

    def locate(self, records: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """Addresses and lengths of the bytes of ``records``: ``Pack.locate`` without its checks."""
        shards = np.searchsorted(self.first_records, records, "right") - 1
        bases = self._bases[shards]
        if not bases.all():
            for shard in np.unique(shards[bases == 0]).tolist():
                self.map(shard)
            bases = self._bases[shards]
        return bases + self._index.offset[records], self._index.length[records]

    def map(self, shard: int) -> memoryview:
        """Map a shard, after checking that it is as long as declared and its records lie inside.

        Raises:
            PackError: the file is missing, has another size, or the index points outside it.
        """
        mapped = self._maps.get(shard)
        if mapped is not None:
            return mapped
        entry, path = self._entries[shard], self.path(shard)
        first, last = self.first_records[shard : shard + 2].tolist()
        self._index.check_places(shard, first, last, entry.size)
        try:
            fresh = map_file(path)
        except FileNotFoundError as error:
            raise PackError(
                f"{path}: the shard is missing. Restore it from a copy, or pack the label folder "
                "again."
            ) from error
        except OSError as error:
            raise PackError(f"{path}: the shard cannot be mapped ({error}).") from error
        if len(fresh) != entry.size:
            raise PackError(
                f"{path}: the shard has {len(fresh)} bytes, {entry.size} are declared. Restore it "
                "from a copy, or pack the label folder again."
            )
        mapped = self._maps.setdefault(shard, fresh)
        self._bases[shard] = np.frombuffer(mapped, np.uint8).ctypes.data
        return mapped
