"""The bytes that FFCV decodes: checked, and without the rows that a crop does not need."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.engines.protocol import Work
from fastload.native import library
from fastload.native.cuts import CUT, Arena
from fastload.store import Codec, Pack

__all__ = ["FILE", "cut_files", "is_sound"]

FILE = np.dtype([("data", "<u8"), ("size", "<u8"), ("top", "<i8"), ("height", "<i8")])
"""A JPEG in memory: its bytes, the pixel row of the record that its first row is, its rows."""

Rows = npt.NDArray[np.int64]


def cut_files(
    work: Work, rows: Rows, tops: npt.NDArray[Any], heights: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_], Arena]:
    """JPEGs of the pixel rows that are needed; those without restart markers stay whole.

    Args:
        work: of which these are some rows.
        rows: int64, shape (n,), all of records of JPEG.
        tops: integers, shape (n,), the first pixel row needed.
        heights: integers, shape (n,), how many are needed.

    Returns:
        dtype FILE, shape (n,); which of them are sound and of the size in the index; what keeps
        their memory.
    """
    index, records = work.pack.index, work.records[rows]
    cuts = np.zeros(len(rows), CUT)
    cuts["payload"], cuts["length"] = work.pack.locate(records)
    cuts["verified"] = work.checked.ctypes.data + records.astype(np.uint64)
    cuts["crc32c"] = index.crc32c[records]
    cuts["first"], cuts["last"] = tops, tops + heights
    arena = Arena()
    contents = arena.cut(cuts)
    files = np.zeros(len(rows), FILE)
    for name in ("data", "size", "top"):
        files[name] = cuts[name]
    sound = cuts["status"] == 0
    for place in np.flatnonzero(sound):
        height, width = _size(contents[place])
        whole = cuts["data"][place] == cuts["payload"][place]
        least = index.height[records[place]] if whole else cuts["last"][place] - cuts["top"][place]
        right = height == least if whole else height >= least
        sound[place] = right and width == index.width[records[place]]
        files["height"][place] = height
    return files, sound, arena


def is_sound(pack: Pack, record: int) -> bool:
    """Whether a JPEG's bytes are those that were packed, and of the size in the index."""
    payload, index = pack.payload(record), pack.index
    if library.crc32c(payload) != index.crc32c[record]:
        return False
    return _size(payload) == (int(index.height[record]), int(index.width[record]))


def _size(jpeg: Any) -> tuple[int, int]:
    """Height and width, (0, 0) where it is no JPEG."""
    try:
        return library.image_size(jpeg, Codec.JPEG)
    except library.NativeError:
        return 0, 0
