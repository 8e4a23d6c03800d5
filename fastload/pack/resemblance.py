"""Which record of a pack a new image resembles, by their perceptual hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastload.duplicates import near_duplicates_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastload.store.index import Index

__all__ = ["nearest_records"]


def nearest_records(
    hashes: NDArray[np.uint64], labels: NDArray[np.uint32], index: Index
) -> NDArray[np.int64]:
    """Of each new image a record of the pack that it resembles, one of another class if any.

    Hashes alone are compared, so that nothing has to be decoded. Images of the same hash and class
    are compared once: thousands of flat ones would have millions of pairs.

    Args:
        hashes: (n,) of the new images.
        labels: (n,) of the new images.
        index: of the pack.

    Returns:
        (n,) record ids, -1 where nothing is near.
    """
    firsts, kinds = _kinds(hashes, labels)
    old_firsts, _ = _kinds(index.perceptual_hash, index.label)
    pairs = near_duplicates_of(hashes[firsts], index.perceptual_hash[old_firsts])
    records = old_firsts[pairs[:, 1]]
    same_class = labels[firsts[pairs[:, 0]]] == index.label[records]
    order = np.lexsort((records, same_class, pairs[:, 0]))
    near, first_pairs = np.unique(pairs[order, 0], return_index=True)
    nearest = np.full(len(firsts), -1, np.int64)
    nearest[near] = records[order][first_pairs]
    return nearest[kinds]


def _kinds(
    hashes: NDArray[np.uint64], labels: NDArray[np.uint32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first image of each kind (hash and class), and the number of each image's kind."""
    kinds = np.empty(len(hashes), [("hash", np.uint64), ("label", np.uint32)])
    kinds["hash"], kinds["label"] = hashes, labels
    _, firsts, numbers = np.unique(kinds, return_index=True, return_inverse=True)
    return firsts, numbers
