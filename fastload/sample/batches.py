"""Taking an epoch's batches from samplers, each index with its position in the epoch.

A position says which random draws a sample gets. With several ranks, position p of rank r is
position p * ranks + r of the whole, so no two ranks share draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Slice", "batches_of_indices", "batches_of_sampler", "ranks_of"]


class Slice(NamedTuple):
    """What one batch serves of an epoch.

    Attributes:
        indices: int64, shape (n,), into the dataset.
        positions: int64, shape (n,), in the epoch, counted over all ranks.
        after: how many positions of the epoch all ranks have served once they have served this.
    """

    indices: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    after: int


def ranks_of(sampler: Any) -> tuple[int, int]:
    """(rank, ranks) of a sampler that serves one of several ranks, else (0, 1)."""
    rank, ranks = getattr(sampler, "rank", None), getattr(sampler, "num_replicas", None)
    if isinstance(rank, int) and isinstance(ranks, int) and 0 <= rank < ranks:
        return rank, ranks
    return 0, 1


def _slice(indices: list[Any], start: int, rank: int, ranks: int) -> Slice:
    stop = start + len(indices)
    positions = np.arange(start, stop, dtype=np.int64) * ranks + rank
    return Slice(np.array(indices, np.int64), positions, stop * ranks)


def batches_of_sampler(
    sampler: Iterable[Any], batch_size: int, drop_last: bool, skip: int = 0
) -> Iterator[Slice]:
    """Take batches from a sampler of indices, no further than asked.

    Args:
        sampler: gives the indices of this rank.
        batch_size: samples a batch.
        drop_last: whether a last batch that is not full is dropped.
        skip: how many of this rank's indices have been served already.
    """
    rank, ranks = ranks_of(sampler)
    indices = islice(sampler, skip, None)
    start = skip
    while batch := list(islice(indices, batch_size)):
        if drop_last and len(batch) < batch_size:
            return
        yield _slice(batch, start, rank, ranks)
        start += len(batch)


def batches_of_indices(batch_sampler: Iterable[Any], skip: int = 0) -> Iterator[Slice]:
    """Take batches from a sampler of batches.

    Args:
        batch_sampler: gives lists of indices of this rank.
        skip: how many of this rank's indices have been served already.
    """
    rank, ranks = ranks_of(getattr(batch_sampler, "sampler", None))
    start = 0
    for batch in batch_sampler:
        indices = list(batch)
        rest = indices[max(skip - start, 0) :]
        start += len(indices)
        if rest or not indices:
            yield _slice(rest, start - len(rest), rank, ranks)
