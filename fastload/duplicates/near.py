"""Records that show the same picture: encoded anew, resized, brighter, mirrored, turned.

Perceptual hashes (docs/format.md, section 7) name the candidates, small grey pictures decide.
Both numbers below are measured, on 1000 ImageNet photos and 1344 photos of magnetic tiles (grey,
of low contrast, each tile in a series of exposures).

=========================== ============== ==============
found, of the copies of     ImageNet       magnetic tiles
=========================== ============== ==============
flips, turns, transposes    100 %          100 %
JPEG of quality 60          100 %          100 %
2/3 of the size             100 %          100 %
20 % darker                 100 %          100 %
20 % brighter, clipped      98.2 %         97.5 %
largest group of photos     1              15
=========================== ============== ==============

By hashes alone the tiles made one group of 100 photos; of their true series the largest is 12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastload.cpus import usable_cpus
from fastload.duplicates.exact import exact_duplicate_groups
from fastload.duplicates.pictures import small_pictures
from fastload.native.library import group_near, mark_near, near_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastload.store import Pack

__all__ = ["CORRELATION", "DISTANCE", "near_duplicate_groups", "near_duplicates_of"]

DISTANCE = 8
"""Bits of 63 in which the hashes of near-duplicates differ at most. 6 lose 7 % of the brighter
tiles; with 10, hashes alone would chain a fifth of the tiles into one group."""

CORRELATION = 0.975
"""What the small pictures of near-duplicates correlate by at least: above are copies, whose
highlights may be clipped, below are pictures of like things in like light."""


def near_duplicate_groups(
    pack: Pack,
    distance: int = DISTANCE,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.int64]:
    """The group of each record among those that show the same picture.

    Two records are in one group if their bytes are the same, or if their hashes are near under one
    of the 8 symmetries of the square and their small pictures agree under it, or if a chain of such
    pairs leads from one to the other. Only records with a near hash are decoded.

    Args:
        pack: an open pack.
        distance: bits in which hashes may differ, 0 to 16.
        workers: threads; the usable CPUs where None.
        progress: called now and then with how many records are decoded, and of how many.

    Returns:
        (N,) int64: the lowest id of each record's group; a record alone has its own.

    Raises:
        NativeError: another distance.
        PackError: a record that had to be looked at is damaged.
    """
    threads = workers or usable_cpus()
    same_bytes = exact_duplicate_groups(pack)
    joined = np.arange(len(pack), dtype=np.int64)
    firsts = np.flatnonzero(same_bytes == joined)
    hashes = pack.index.perceptual_hash
    candidates = firsts[mark_near(hashes[firsts], distance, threads)]
    pictures = small_pictures(pack, candidates, threads, progress)
    found = group_near(hashes[candidates], pictures, distance, CORRELATION, threads)
    joined[candidates] = candidates[found]
    grouped: NDArray[np.int64] = joined[same_bytes]
    return grouped


def near_duplicates_of(
    hashes: NDArray[np.uint64], among: NDArray[np.uint64], distance: int = DISTANCE
) -> NDArray[np.int64]:
    """Which perceptual hashes are near which others, under any symmetry of the square.

    Hashes alone are compared: what comes back are candidates.

    Args:
        hashes: (m,) uint64, those asked about.
        among: (k,) uint64, those that are there.
        distance: bits in which they may differ, 0 to 16.

    Returns:
        (n, 2) int64: position in ``hashes``, position in ``among``; sorted, each pair once.

    Raises:
        NativeError: another distance.

    >>> mirrored = 0b0110 ^ 0xAAAAAAAAAAAAAAAA
    >>> near_duplicates_of(np.array([0b0110], np.uint64), np.array([99, mirrored], np.uint64), 1)
    array([[0, 1]])
    """
    return near_pairs(hashes, among, distance, usable_cpus())
