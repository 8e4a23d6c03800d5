"""Cutting an epoch's indices into batches, each index with its position in the epoch.

A position says which random draws a sample gets. With several ranks, position p of rank r is
position p * ranks + r of the whole, so no two ranks share draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Slice", "batches_of_indices", "batches_of_order", "batches_of_sampler", "ranks_of"]

Slice = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Indices into the dataset and positions in the epoch, both int64 of shape (n,)."""


def ranks_of(sampler: Any) -> tuple[int, int]:
    """(rank, ranks) of a sampler that serves one of several ranks, else (0, 1)."""
    rank, ranks = getattr(sampler, "rank", None), getattr(sampler, "num_replicas", None)
    if isinstance(rank, int) and isinstance(ranks, int) and 0 <= rank < ranks:
        return rank, ranks
    return 0, 1


def _positions(start: int, count: int, rank: int, ranks: int) -> npt.NDArray[np.int64]:
    return np.arange(start, start + count, dtype=np.int64) * ranks + rank


def batches_of_order(
    order: npt.NDArray[np.int64], batch_size: int, drop_last: bool
) -> Iterator[Slice]:
    """Cut an order into batches.

    >>> order = np.array([3, 1, 0, 2])
    >>> [(i.tolist(), p.tolist()) for i, p in batches_of_order(order, 3, drop_last=False)]
    [([3, 1, 0], [0, 1, 2]), ([2], [3])]
    """
    stop = len(order) - len(order) % batch_size if drop_last else len(order)
    for start in range(0, stop, batch_size):
        indices = order[start : start + batch_size]
        yield indices, _positions(start, len(indices), 0, 1)


def batches_of_sampler(sampler: Iterable[Any], batch_size: int, drop_last: bool) -> Iterator[Slice]:
    """Take batches from a sampler of indices, no further than asked."""
    rank, ranks = ranks_of(sampler)
    indices = iter(sampler)
    start = 0
    while batch := list(islice(indices, batch_size)):
        if drop_last and len(batch) < batch_size:
            return
        yield np.array(batch, np.int64), _positions(start, len(batch), rank, ranks)
        start += len(batch)


def batches_of_indices(batch_sampler: Iterable[Any]) -> Iterator[Slice]:
    """Take batches from a sampler of batches."""
    rank, ranks = ranks_of(getattr(batch_sampler, "sampler", None))
    start = 0
    for batch in batch_sampler:
        indices = np.array(list(batch), np.int64)
        yield indices, _positions(start, len(indices), rank, ranks)
        start += len(indices)
