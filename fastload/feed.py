"""What one pass of a loader serves, batch by batch."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from fastload.sample import (
    Division,
    Order,
    OrderSampler,
    Slice,
    batches_of_indices,
    batches_of_sampler,
    ranks_of,
)

__all__ = ["BatchFeed", "Feed", "OrderFeed", "SamplerFeed"]


class Feed(ABC):
    """The slices of one pass, from a position of its epoch on.

    Attributes:
        start: how many of the epoch's positions all ranks have served already.
        ranks: how many ranks take a share of the epoch; positions count those of all.
        division: which of the epoch's samples are the pass's, where its order is known.
    """

    start: int = 0
    ranks: int = 1
    division: Division = Division(1)

    @abstractmethod
    def slices(self) -> Iterator[Slice]:
        """The pass's batches; each call begins anew."""

    @property
    @abstractmethod
    def steps(self) -> int | None:
        """How many they are, where that is known before the last one."""

    @property
    def order(self) -> Order | None:
        """The samples of the whole pass, int64, shape (n,), where they are known before."""
        return None

    def following(self) -> Order | None:
        """Those of the next pass."""
        return None


class OrderFeed(Feed):
    """This rank's share of an order known beforehand.

    Args:
        sampler: gives the orders.
        epoch: which one to serve.
        start: how many of its positions all ranks have served already.
        division: how ranks and batches divide it.
    """

    def __init__(self, sampler: OrderSampler, epoch: int, start: int, division: Division) -> None:
        self.start = start
        self.ranks = division.ranks
        self._sampler = sampler
        self._epoch = epoch
        self.division = division

    @cached_property
    def order(self) -> Order:
        """This rank's share of the rest of the epoch."""
        return self.division.share(self._sampler.order(self._epoch), self.start)

    def following(self) -> Order | None:
        """This rank's share of the next epoch; made at each call, since it is large.

        None where there is none: a user's balance need not know any behind the last one.
        """
        try:
            return self.division.share(self._sampler.order(self._epoch + 1), 0)
        except Exception:  # noqa: BLE001 (raised again where that epoch begins, if it does)
            return None

    @property
    def steps(self) -> int:
        """How many batches this rank serves."""
        return self.division.steps(len(self._sampler), self.start)

    def slices(self) -> Iterator[Slice]:
        """The batches of the share."""
        return self.division.slices(self.order, len(self._sampler), self.start)


class SamplerFeed(Feed):
    """What a sampler of the user's gives, which has divided the epoch among ranks itself.

    Args:
        sampler: gives indices.
        start: how many positions all ranks have served already.
        batch_size: samples a batch.
        drop_last: whether a last batch that is not full is dropped.
    """

    def __init__(
        self, sampler: Iterable[Any], start: int, batch_size: int, drop_last: bool
    ) -> None:
        self.start = start
        self.ranks = ranks_of(sampler)[1]
        self._sampler = sampler
        self._skip = start // self.ranks
        self._batch_size = batch_size
        self._drop_last = drop_last

    @property
    def steps(self) -> int | None:
        """How many batches are left, where the sampler has a length."""
        length = _length(self._sampler)
        if length is None:
            return None
        batches = max(length - self._skip, 0) / self._batch_size
        return math.floor(batches) if self._drop_last else math.ceil(batches)

    def slices(self) -> Iterator[Slice]:
        """The sampler's batches behind those served already."""
        return batches_of_sampler(self._sampler, self._batch_size, self._drop_last, self._skip)


class BatchFeed(Feed):
    """What a batch sampler of the user's gives.

    Args:
        batch_sampler: gives lists of indices.
        start: how many positions all ranks have served already.
    """

    def __init__(self, batch_sampler: Iterable[Any], start: int) -> None:
        self.start = start
        self.ranks = ranks_of(getattr(batch_sampler, "sampler", None))[1]
        self._batch_sampler = batch_sampler
        self._skip = start // self.ranks

    @property
    def steps(self) -> int | None:
        """How many batches there are, where none has been served and it has a length."""
        return None if self._skip else _length(self._batch_sampler)

    def slices(self) -> Iterator[Slice]:
        """The batches behind those served already."""
        return batches_of_indices(self._batch_sampler, self._skip)


def _length(sampler: Any) -> int | None:
    try:
        return len(sampler)
    except (TypeError, NotImplementedError):
        return None
