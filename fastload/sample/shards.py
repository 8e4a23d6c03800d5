"""Dividing an epoch among ranks, each of which takes batches.

A global batch is one batch of each rank: with W ranks and B samples a batch, its W * B positions
follow one another in the epoch's order, and rank r serves the positions r, r + W, r + 2 W, ... of
each. So step k of all ranks is step k of one process with batches of W * B, and a position counted
over all ranks says how far all of them are, whatever W and B are.

An epoch of n samples, of which ``start`` are served, is cut anew from there. Its end is

* "pad": the next whole multiple of W behind n; position p >= n serves the sample of position
  p - n again, as torch's ``DistributedSampler`` does, with draws of its own. Ranks are in step.
* "drop": the last whole multiple of W. Ranks are in step.
* "exact": n. Each sample once, and up to W - 1 ranks have one sample, and where that is alone in
  its batch one step, less than the others.

A sampler may want some positions to stay together, such as the batches of K images of P classes:
then ranks take such runs of positions in turn, as otherwise single ones.

``drop_last`` then drops the last global batch where a rank's batch would not be full.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fastload.sample.batches import Slice
from fastload.sample.order import Order

__all__ = ["UNEVEN", "Division"]

UNEVEN = ("pad", "drop", "exact")
"""What to do with the rest of an epoch that cannot be divided among the ranks."""


@dataclass(frozen=True)
class Division:
    """One rank's way to take its share of an epoch.

    Attributes:
        batch_size: samples a batch and rank.
        rank: which one.
        ranks: of how many.
        uneven: one of ``UNEVEN``.
        drop_last: whether a last batch that is not full is dropped.
        run: positions that one rank serves together; ``batch_size`` is a multiple of it.

    >>> second = Division(batch_size=2, rank=1, ranks=2)
    >>> share = second.share(np.array([30, 31, 32, 33, 34]), start=0)
    >>> [(s.indices.tolist(), s.positions.tolist(), s.after) for s in second.slices(share, 5, 0)]
    [([31, 33], [1, 3], 4), ([30], [5], 6)]
    """

    batch_size: int
    rank: int = 0
    ranks: int = 1
    uneven: str = "pad"
    drop_last: bool = False
    run: int = 1

    @property
    def _step(self) -> int:
        """Samples of a global batch."""
        return self.batch_size * self.ranks

    def stop(self, length: int, start: int) -> int:
        """One past the last position that any rank serves of an epoch of ``length`` samples."""
        left = max(length - start, 0)
        round_of_ranks = self.ranks * self.run
        if self.uneven == "pad":
            left = -(-left // round_of_ranks) * round_of_ranks if length else 0
        elif self.uneven == "drop":
            left -= left % round_of_ranks
        if self.drop_last:
            left -= left % self._step
        return start + left

    def steps(self, length: int, start: int = 0) -> int:
        """How many batches this rank serves."""
        return -(-self._own(length, start) // self.batch_size)

    def _own(self, length: int, start: int) -> int:
        """How many samples this rank serves."""
        rounds, left = divmod(self.stop(length, start) - start, self.ranks * self.run)
        return rounds * self.run + min(max(left - self.rank * self.run, 0), self.run)

    def _positions(self, start: int, first: int, stop: int) -> Order:
        """The positions of this rank's own samples ``first`` to ``stop`` - 1."""
        own = np.arange(first, stop, dtype=np.int64)
        if self.run == 1:
            return own * self.ranks + (start + self.rank)
        runs, within = np.divmod(own, self.run)
        positions: Order = (runs * self.ranks + self.rank) * self.run + within + start
        return positions

    def places(self, positions: Order, start: int) -> Order:
        """Which ones of this rank's own samples, from ``start`` on, are at these positions."""
        runs, within = np.divmod(positions - start, self.run)
        places: Order = runs // self.ranks * self.run + within
        return places

    def share(self, order: Order, start: int) -> Order:
        """The samples that this rank serves, one after the other: int64, shape (m,)."""
        length, stop = len(order), self.stop(len(order), start)
        if self.ranks == 1 and start == 0 and stop == length:
            return order
        if stop <= length and self.run == 1:
            # A copy, so that the order of all ranks need not be kept.
            return order[start + self.rank : stop : self.ranks].copy()
        return order[self._positions(start, 0, self._own(length, start)) % length]

    def slices(self, share: Order, length: int, start: int) -> Iterator[Slice]:
        """Cut a ``share`` of an epoch of ``length`` samples into batches."""
        stop = self.stop(length, start)
        for step, first in enumerate(range(0, len(share), self.batch_size), 1):
            indices = share[first : first + self.batch_size]
            positions = self._positions(start, first, first + len(indices))
            yield Slice(indices, positions, min(start + step * self._step, stop))
