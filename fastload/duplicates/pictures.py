"""Small grey pictures of records: what two records are compared by."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from fastload.native.library import NativeError, resize
from fastload.store.decoding import decode_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastload.store import Pack

__all__ = ["SIDE", "small_picture", "small_pictures"]

SIDE = 16
"""Pixels a side. 8 tell less apart; 32 lose copies that are cut a little."""

# Resampling rounds to whole grey levels. Averages over 4x4 of such pixels keep what a picture of
# little contrast consists of.
_FINE = 4 * SIDE
# Pillow's box filter takes pixels whole: mirrored, it would take others.
_FILTER = Image.Resampling.BILINEAR

# Rec. 601 luma, of which the perceptual hash is made as well.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)

# Standard deviation in grey levels below which there is nothing but noise to compare.
_FLAT = 1.0

# Records that one thread decodes at a time.
_CHUNK = 32


def small_picture(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The luma of an image in 16x16 pixels, (16, 16) uint8, stretched from 0 to 255.

    Brightness and contrast are gone from it. An image without contrast becomes its mean level.

    Args:
        rgb: uint8 of shape (height, width, 3).

    >>> int(small_picture(np.full((40, 30, 3), 9, np.uint8)).max())
    9
    """
    fine = resize(rgb, _FINE, _FINE, _FILTER) @ _LUMA
    luma = fine.reshape(SIDE, _FINE // SIDE, SIDE, _FINE // SIDE).mean((1, 3))
    if luma.std() < _FLAT:
        return np.full((SIDE, SIDE), round(float(luma.mean())), np.uint8)
    low, high = luma.min(), luma.max()
    stretched: NDArray[np.uint8] = np.rint((luma - low) * (255 / (high - low))).astype(np.uint8)
    return stretched


def small_pictures(
    pack: Pack,
    records: NDArray[np.int64],
    workers: int,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.uint8]:
    """The :func:`small_picture` of each of some records: 256 bytes a record.

    Args:
        pack: an open pack.
        records: (n,) record ids.
        workers: threads that decode.
        progress: called with how many are done, and n.

    Returns:
        (n, 16, 16) uint8.

    Raises:
        PackError: a record is damaged.
    """
    Image.init()  # Threads may find a format unknown that another one is just registering.
    pictures = np.empty((len(records), SIDE, SIDE), np.uint8)

    def fill(first: int) -> None:
        for row in range(first, min(first + _CHUNK, len(records))):
            pictures[row] = _picture_of(pack, int(records[row]))

    executor = ThreadPoolExecutor(workers, "fastload-duplicates")
    try:
        firsts = range(0, len(records), _CHUNK)
        for first, _ in zip(firsts, executor.map(fill, firsts), strict=True):
            if progress is not None:
                progress(min(first + _CHUNK, len(records)), len(records))
    finally:
        executor.shutdown(cancel_futures=True)
    return pictures


def _picture_of(pack: Pack, record: int) -> NDArray[np.uint8]:
    try:
        return small_picture(np.asarray(decode_record(pack, record)))
    except (NativeError, OSError, SyntaxError, ValueError) as error:
        raise pack.damaged(record, str(error)) from error
