"""How the records of a group come from its first one, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastload.store import Pack

__all__ = ["hashes_under_symmetries", "relations"]

# In the order of hash_symmetry.h: transposed first, then mirrored.
_SYMMETRIES = (
    "near",
    "mirrored",
    "upside down",
    "turned by 180°",
    "transposed",
    "turned right",
    "turned left",
    "transposed, turned by 180°",
)
_ODD_COLUMNS, _ODD_ROWS = 0xAAAAAAAAAAAAAAAA, 0xFF00FF00FF00FF00
_MIRRORED = np.array([0, _ODD_COLUMNS, _ODD_ROWS, _ODD_COLUMNS ^ _ODD_ROWS], np.uint64)


def relations(
    pack: Pack, records: tuple[int, ...], same_bytes: NDArray[np.int64]
) -> tuple[str, ...]:
    """How each record comes from the first of them, told by their hashes.

    Of several with the same bytes, those behind the first of these are said to be its copies.

    A picture that is nearly its own mirror image may be called mirrored where it is not. What is
    near the first one only through others has the symmetry that comes nearest.

    Args:
        pack: an open pack.
        records: ids of one group, ascending.
        same_bytes: (N,) what ``exact_duplicate_groups`` gave.
    """
    hashes = pack.index.perceptual_hash[list(records)]
    differences = hashes_under_symmetries(hashes[0])[:, None] ^ hashes
    bits = np.unpackbits(differences[..., None].view(np.uint8), axis=-1)
    nearest = bits.sum(axis=-1).argmin(axis=0)
    words = [_SYMMETRIES[symmetry] for symmetry in nearest.tolist()]
    for position, record in enumerate(records):
        if same_bytes[record] != record:
            words[position] = f"same bytes as {same_bytes[record]}"
    return ("first", *words[1:])


def hashes_under_symmetries(value: np.uint64) -> NDArray[np.uint64]:
    """(8,) uint64: the hash of a picture under each symmetry of the square (docs/format.md, 7).

    >>> hashes_under_symmetries(np.uint64(2))[4].item()
    256
    """
    bits = np.unpackbits(np.array([value], "<u8").view(np.uint8), bitorder="little")
    turned = np.packbits(bits.reshape(8, 8).T, bitorder="little").view("<u8")
    return np.concatenate([value ^ _MIRRORED, turned ^ _MIRRORED])
