"""What a loader asks of the process's cache: how much memory, and for what it is wanted when."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastload.engines.cache import RecordCache, shared_cache
from fastload.memory import available_memory
from fastload.sample import Order, Times, expected_waits, next_uses, orders_of
from fastload.sizes import parse_size
from fastload.view import View

__all__ = ["CacheUse", "PassUses", "checked_cache"]

# Of what is free: the rest is for the model, the batches and the system's own cache of files.
_SHARE = 0.5
# Above this part of its budget, a cache has to choose what to keep.
_TIGHT = 0.8
# No process loads so many images.
_LONG = 2.0**62


def checked_cache(cache: str | int | None) -> str | int:
    """The budget of a loader's cache: "auto", or bytes (0 for none).

    Raises:
        ValueError: it is neither "auto" nor a size.

    >>> checked_cache("1.5GB"), checked_cache(0), checked_cache("auto")
    (1500000000, 0, 'auto')
    """
    if cache is None or cache is False:
        return 0
    if cache in ("auto", True):
        return "auto"
    return parse_size(cache, "cache")


def _auto_budget(kept: int) -> int:
    """Half of what is free, in equal parts for the ranks on this machine."""
    ranks = max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1") or 1))
    return int(_SHARE * (available_memory() + kept) / ranks)


@dataclass(frozen=True)
class PassUses:
    """When the samples of one pass are wanted again.

    Attributes:
        cache: the cache whose time is counted in.
        start: when the pass began.
        otherwise: when a sample is wanted again of which nothing is known.
        times: where the order is known: by position, counted from ``start``.
        waits: where only frequencies are: by sample, counted from the use before.
    """

    cache: RecordCache
    start: int
    otherwise: int
    times: Times | None
    waits: npt.NDArray[np.float64] | None

    def of(self, samples: npt.NDArray[np.int64], positions: npt.NDArray[np.int64]) -> Times:
        """When samples, which are at these positions, are wanted again: uint64, shape (n,)."""
        if self.times is not None:
            times = self.times[positions]
            # What never comes again stays at the end of time.
            absolute: Times = np.maximum(times, times + np.uint64(self.start))
            return absolute
        if self.waits is not None:
            return (self.cache.clock + np.minimum(self.waits[samples], _LONG)).astype(np.uint64)
        return np.full(len(positions), self.otherwise, np.uint64)


class CacheUse:
    """One loader's use of the process's cache.

    Args:
        budget: as :func:`checked_cache` gives it, not 0.
    """

    def __init__(self, budget: str | int) -> None:
        self._budget = budget
        self._last_start: int | None = None

    def join(self, loader: object) -> RecordCache:
        """Let the cache have as much memory as this loader wants for it."""
        cache = shared_cache()
        budget = self._budget
        if not isinstance(budget, int):
            budget = _auto_budget(cache.facts().bytes)
        cache.wish(loader, budget)
        return cache

    def leave(self, loader: object) -> None:
        """Let the cache have this loader's memory back."""
        shared_cache().forget(loader)

    def begin(self, loader: object, view: View, sampler: object, epoch: int) -> PassUses:
        """Tell the cache what a pass wants when, as far as that is known before it begins."""
        cache = self.join(loader)
        facts = cache.facts()
        orders = orders_of(sampler, epoch)
        count = len(view) if orders is None else len(orders[0])
        start = cache.clock
        # Other loaders' passes lie between two of this one's.
        last, self._last_start = self._last_start, start
        period = count if last is None else max(count, start - last)
        otherwise = start + period + count // 2
        if orders is None:
            return PassUses(cache, start, otherwise, None, expected_waits(sampler))
        uses = PassUses(cache, start, otherwise, next_uses(*orders, period), None)
        if facts.bytes > _TIGHT * facts.budget:
            _plan_anew(cache, view, orders[0], uses)
        return uses


def _plan_anew(cache: RecordCache, view: View, order: Order, uses: PassUses) -> None:
    """Set right what an unfinished pass, or an unforeseen one, has left to be expected."""
    first = np.full(len(view), -1, np.int64)
    first[order[::-1]] = np.arange(len(order) - 1, -1, -1)
    samples = np.flatnonzero(first >= 0)
    located = view.locate(samples)
    first_uses = (uses.start + first[samples]).astype(np.uint64)
    for number, part in enumerate(view.parts):
        rows = np.flatnonzero(located.parts == number)
        keys = cache.keys(part.pack, located.records[rows])
        cache.plan(part.pack, keys, first_uses[rows], uses.otherwise)
