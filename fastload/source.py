"""Where a loader's samples come from: its samplers, and this rank's share of what they give."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastload.feed import BatchFeed, Feed, OrderFeed, SamplerFeed
from fastload.sample import (
    Division,
    OrderSampler,
    Ranks,
    SeedAgreement,
    identity_of,
    ranks_of_process,
    tell_of_ranks,
)

__all__ = ["Source"]


class Source:
    """What a loader serves.

    An order of this library's samplers is divided among the ranks here. Any other sampler has
    divided the epoch itself, if anybody has: what it gives is served as it is.

    Args:
        sampler: gives indices.
        batch_sampler: gives lists of indices; taken where ``batch_size`` is None.
        batch_size: samples a batch, None where the batch sampler decides or there are no batches.
        drop_last: whether a last batch that is not full is dropped.
        uneven: how an order is divided that cannot be divided evenly.
        ranks: the ranks that the user has given; None for those of ``torch.distributed``.
        agreement: on the seed.

    Attributes:
        order_sampler: the sampler where its orders are known beforehand and divided here.

    Raises:
        ValueError: ranks are given, and there is nothing to divide or no seed to agree on.
    """

    def __init__(
        self,
        sampler: Iterable[Any],
        batch_sampler: Iterable[Any] | None,
        batch_size: int | None,
        drop_last: bool,
        uneven: str,
        ranks: Ranks | None,
        agreement: SeedAgreement,
    ) -> None:
        self._batches = batch_sampler if batch_size is None else None
        self._sampler = sampler
        self._batch_size = 1 if batch_size is None else batch_size
        self._drop_last = drop_last
        self._uneven = uneven
        self._given_ranks = ranks
        self._agreement = agreement
        known = self._batches is None and isinstance(sampler, OrderSampler)
        self.order_sampler = sampler if known and isinstance(sampler, OrderSampler) else None
        if ranks is not None:
            self._check(ranks)

    def _check(self, ranks: Ranks) -> None:
        if self.order_sampler is None:
            raise ValueError(
                "rank= and world_size= divide an order of the loader's own, and a sampler is given "
                "here: leave them out, and give a torch.utils.data.DistributedSampler."
            )
        drawn = not self._agreement.given and self.order_sampler.agreement is not None
        if drawn and ranks.ranks > 1 and self.order_sampler.seed is not None:
            raise ValueError(
                "rank= and world_size= without seed=: each rank would draw another order. Give "
                "all of them the same seed=."
            )

    @property
    def iterated(self) -> Any:
        """The sampler that is iterated; an empty one where an order is divided here."""
        if self.order_sampler is not None:
            return ()
        return self._sampler if self._batches is None else self._batches

    @property
    def ranks(self) -> Ranks:
        """Which rank is served now."""
        return ranks_of_process() if self._given_ranks is None else self._given_ranks

    @property
    def steps(self) -> int | None:
        """Batches of a whole epoch on this rank; None where torch has to say."""
        if self.order_sampler is None:
            return None
        return self._division().steps(len(self.order_sampler))

    def _division(self) -> Division:
        ranks = self.ranks
        run = 1 if self.order_sampler is None else self.order_sampler.run
        if self._batch_size % run:
            # Batches that are cut elsewhere: after a step, what all ranks have served together
            # would not be the first positions of the epoch.
            run = 1
        return Division(
            self._batch_size, ranks.rank, ranks.ranks, self._uneven, self._drop_last, run
        )

    def feed(self, epoch: int, start: int) -> Feed:
        """The rest of an epoch, of which all ranks have served ``start`` positions."""
        if self.order_sampler is not None:
            return OrderFeed(self.order_sampler, epoch, start, self._division())
        if self._batches is not None:
            return BatchFeed(self._batches, start)
        return SamplerFeed(self._sampler, start, self._batch_size, self._drop_last)

    def identity(self) -> dict[str, Any]:
        """What the sampler is called, and what decides its order but a seed of the loader's."""
        identity = identity_of(self.iterated if self.order_sampler is None else self.order_sampler)
        if self.order_sampler is not None and self.order_sampler.agreement is not None:
            identity.pop("seed")
        return identity

    def settle(self, served: dict[str, Any]) -> int:
        """Make sure that all ranks are about to serve shares of one and the same epoch.

        Args:
            served: what this rank is about to serve, as JSON takes it.

        Returns:
            the seed that all ranks take.

        Raises:
            RanksError: they are not.
        """
        ranks = self.ranks
        if ranks.ranks > 1 and self._given_ranks is None and self.order_sampler is not None:
            tell_of_ranks(ranks, self._uneven)
        cut = {
            "batch_size": self._batch_size,
            "drop_last": self._drop_last,
            "uneven": self._uneven,
        }
        seed = self._agreement.settle(served | cut)
        self.take_seed(seed)
        return seed

    def take_seed(self, seed: int) -> None:
        """Let a seed take the place of one that was drawn."""
        self._agreement.seed = seed
        sampler = self.order_sampler
        if sampler is not None and sampler.agreement is not None and sampler.seed is not None:
            sampler.seed = seed
