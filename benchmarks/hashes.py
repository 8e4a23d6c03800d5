"""Perceptual hashes as a large data set has them: most alone, some in families of near copies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastload.duplicates.pictures import SIDE

FAMILY = 10
CHANGED_BITS = 3


def hashes_with_families(count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """(count,) hashes and their (count, 16, 16) pictures; every second hash is of a family of ten.

    Each of a family differs from a hash of its own in up to three bits; all of a family show one
    picture.
    """
    rng = np.random.default_rng(0)
    family = np.arange(count) // (2 * FAMILY)
    alone = np.arange(count) % 2 == 0
    bits = rng.integers(1, 64, (CHANGED_BITS, count), dtype=np.uint64)
    of_family = rng.integers(0, 2**64, family[-1] + 1, dtype=np.uint64)[family]
    copies = of_family ^ np.bitwise_or.reduce(np.uint64(1) << bits, axis=0)
    hashes = np.where(alone, rng.integers(0, 2**64, count, dtype=np.uint64), copies)
    pictures = rng.integers(0, 256, (family[-1] + 1, SIDE, SIDE), dtype=np.uint8)[family]
    return hashes & ~np.uint64(1), pictures
