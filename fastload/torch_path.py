"""Batches of indices for torch's own path, where the dataset is not made of packs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.utils.data import Sampler

from fastload.sample import EpochCounter
from fastload.source import Source

__all__ = ["RankBatches"]


class RankBatches(Sampler[Any]):
    """This rank's share of the epochs of an order, as torch's loader asks for indices.

    Args:
        source: what is served.
        epochs: the counter to take epochs from.
        batched: whether indices come in lists, as torch wants them where it collates.
    """

    def __init__(self, source: Source, epochs: EpochCounter, batched: bool) -> None:
        self._source = source
        self._epochs = epochs
        self._batched = batched

    def __iter__(self) -> Iterator[Any]:
        for batch in self._source.feed(self._epochs.take(), 0).slices():
            indices = batch.indices.tolist()
            yield indices if self._batched else indices[0]

    def __len__(self) -> int:
        steps = self._source.steps
        assert steps is not None
        return steps
