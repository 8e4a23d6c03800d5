"""Near-duplicates by brute force, so that appending is tested apart from the index of hashes."""

from __future__ import annotations

import numpy as np

from fastload.pack import resemblance

DISTANCE = 6


def near_pairs(hashes: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Places in ``hashes`` and in ``among`` that differ in few bits, as (k, 2) int64."""
    differing = (hashes[:, None] ^ among).astype("<u8")[..., None].view(np.uint8)
    return np.argwhere(np.unpackbits(differing, axis=-1).sum(-1) <= DISTANCE)


def use_brute_force() -> None:
    """For a process of its own."""
    resemblance._near_pairs = near_pairs
