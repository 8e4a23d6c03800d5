"""What a pack has already: files that would become one of its records again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastload.store.index import Index
    from fastload.store.pack import Pack

__all__ = ["Duplicate", "StoredBytes"]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A file that is not added, because this record of the pack is the same image."""

    record: int


class StoredBytes:
    """Finds the records of a pack by their bytes.

    Checksum and length find them in the index, then the bytes themselves are compared, so that no
    image is taken for another.

    Args:
        pack: whose records are looked at; those of its shards are read when a candidate is found.
    """

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        keys = _keys(pack.index)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def same(self, payload: bytes | memoryview, crc32c: int) -> list[int]:
        """The records whose bytes are these, in the order of their ids.

        Args:
            payload: the bytes of a record.
            crc32c: of them.

        Raises:
            PackError: the shard of a candidate is missing or damaged.
        """
        key = np.uint64(crc32c << 32 | len(payload))
        first = int(np.searchsorted(self._keys, key, "left"))
        last = int(np.searchsorted(self._keys, key, "right"))
        candidates = self._order[first:last].tolist()
        return [record for record in candidates if self._pack.payload(record) == payload]


def _keys(index: Index) -> NDArray[np.uint64]:
    return index.crc32c.astype(np.uint64) << np.uint64(32) | index.length
