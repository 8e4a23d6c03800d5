"""Records of the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fastload.store import Pack

__all__ = ["exact_duplicate_groups"]


def exact_duplicate_groups(pack: Pack) -> NDArray[np.int64]:
    """The group of each record among those with the very same stored bytes.

    Stored bytes are what is compared: first the index's CRC-32C, length, codec, width and height,
    then, of records that agree in all of them, the bytes. So two JPEG files that differ in nothing
    but metadata or entropy coding are one group, unless the pack was made with ``--verbatim``; so
    are a PNG and a BMP file of the same pixels; a JPEG and a PNG file never are.

    Returns:
        (N,) int64: the lowest id of each record's group; a record alone has its own.

    Raises:
        PackError: a shard is missing or damaged.
    """
    groups = np.arange(len(pack), dtype=np.int64)
    for alike in _alike(pack):
        firsts: dict[bytes, int] = {}
        for record in alike.tolist():
            groups[record] = firsts.setdefault(bytes(pack.payload(record)), record)
    return groups


def _alike(pack: Pack) -> Iterator[NDArray[np.int64]]:
    """Runs of two or more records of which the index says the same, ids ascending."""
    index = pack.index
    columns = (index.crc32c, index.length, index.codec, index.width, index.height)
    order = np.lexsort(columns)
    differs = np.zeros(max(0, len(order) - 1), np.bool_)
    for column in columns:
        sorted_column = column[order]
        differs |= sorted_column[1:] != sorted_column[:-1]
    for run in np.split(order, np.flatnonzero(differs) + 1):
        if len(run) > 1:
            yield run
