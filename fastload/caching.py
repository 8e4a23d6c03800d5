"""What a loader asks of the process's cache: how much memory, and for what it is wanted when."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fastload.cpus import local_ranks
from fastload.engines.cache import CacheFacts, RecordCache, shared_cache
from fastload.feed import Feed
from fastload.memory import available_memory
from fastload.sample import (
    LONGEST,
    NEVER,
    NEXT_PASS,
    Division,
    Order,
    Times,
    coming_uses,
    expected_waits,
    has_repeats,
    next_uses,
)
from fastload.sizes import parse_size
from fastload.store import Codec, Pack
from fastload.store.mapping import release_pages
from fastload.view import View, checked_indices

__all__ = ["AUTO_SHARE", "CacheUse", "PassUses", "checked_cache"]

AUTO_SHARE = 0.5
"""What cache="auto" takes of what is free: the rest is for the model, the batches and the system's
own cache of files."""

# Above this part of its budget, a cache has to choose what to keep.
_TIGHT = 0.8
# No process loads so many images.
_LONG = 2.0**62
_END_OF_TIME = np.uint64(2**64 - 1)
# Coefficients take 1.7 times a JPEG's bytes in the mean; beyond this, photos are unheard of.
_MOST_OF_JPEG = 4
# Records or positions looked at in one step, so that what is made of them stays small.
_STEP = 1 << 16


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
    return int(AUTO_SHARE * (available_memory() + kept) / local_ranks())


@dataclass(frozen=True)
class PassUses:
    """When the samples of one pass are wanted again.

    Attributes:
        cache: the cache whose time is counted in.
        start: when the pass began.
        period: how long after that the next one is thought to begin.
        otherwise: when a sample is wanted again of which nothing is known.
        first: position in the epoch where the pass begins.
        division: which of the epoch's samples are the pass's.
        times: where the order is known, when it tells: by place in the pass, ``next_uses``; or by
            sample, the next pass's ``coming_uses``, where no sample comes twice in this one.
        by_sample: which of the two.
        waits: where only frequencies are: by sample, counted from the use before.
    """

    cache: RecordCache
    start: int
    period: int
    otherwise: int
    first: int = 0
    division: Division = field(default_factory=lambda: Division(1))
    times: Times | None = None
    by_sample: bool = False
    waits: npt.NDArray[np.float64] | None = None

    def of(
        self, samples: npt.NDArray[np.int64], positions: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.uint64]:
        """When samples, which are at these positions, are wanted again: uint64, shape (n,)."""
        if self.times is not None:
            places = samples if self.by_sample else self.division.places(positions, self.first)
            times = self.times[places].astype(np.int64)
            since = np.where(times < NEXT_PASS, times, times - NEXT_PASS + self.period)
            absolute = (since + self.start).astype(np.uint64)
            return np.where(times == NEVER, _END_OF_TIME, absolute)
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
        self._most: int | None = None

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

    def begin(self, loader: object, view: View, sampler: object, feed: Feed) -> PassUses:
        """Tell the cache what a pass wants when, as far as that is known before it begins."""
        cache = self.join(loader)
        facts = cache.facts()
        # No two whole orders are held at once: a rank's share takes the place of this pass's, and
        # without ranks the next pass's is gone before this one's is made.
        order = feed.order if feed.ranks > 1 else None
        coming = None if self._all_fit(facts, view) else _coming_uses(feed, view)
        order = feed.order if order is None else order
        count = len(view) if order is None else len(order)
        start = cache.clock
        # Other loaders' passes lie between two of this one's.
        last, self._last_start = self._last_start, start
        period = count if last is None else max(count, start - last)
        otherwise = start + period + count // 2
        if order is None:
            return PassUses(cache, start, period, otherwise, waits=expected_waits(sampler))
        order = checked_indices(order, len(view))
        if facts.bytes > _TIGHT * facts.budget:
            _plan_anew(cache, view, order, start, otherwise)
        if coming is None:
            return PassUses(cache, start, period, otherwise)
        by_sample = not has_repeats(order, len(view))
        times = coming if by_sample else next_uses(order, coming)
        first, division = feed.start, feed.division
        return PassUses(cache, start, period, otherwise, first, division, times, by_sample)

    def _all_fit(self, facts: CacheFacts, view: View) -> bool:
        """Whether the cache will surely never have to choose what to keep."""
        if self._most is None:
            self._most = sum(_most_kept(part.pack) for part in view.parts)
        return facts.bytes + self._most <= facts.budget


def _most_kept(pack: Pack) -> int:
    """More bytes than a cache can keep of a pack's records."""
    index, most = pack.index, 0
    for start in range(0, len(index), _STEP):
        rows = slice(start, start + _STEP)
        codecs, lengths = index.codec[rows], index.length[rows]
        heights, widths = index.height[rows], index.width[rows]
        others = np.isin(codecs, (Codec.QOI, Codec.FILE))
        pixels = (heights[others].astype(np.int64) * widths[others]).sum()
        jpegs = lengths[codecs == Codec.JPEG].sum(dtype=np.int64)
        most += _MOST_OF_JPEG * int(jpegs) + 3 * int(pixels)
    release_pages(index.codec, index.length, index.height, index.width)
    return most


def _coming_uses(feed: Feed, view: View) -> Times | None:
    """When the next pass first wants each sample, where its order is known."""
    following = feed.following()
    if following is None or max(len(following), len(view)) > LONGEST:
        return None
    return coming_uses(checked_indices(following, len(view)), len(view))


def _plan_anew(cache: RecordCache, view: View, order: Order, start: int, otherwise: int) -> None:
    """Set right what an unfinished pass, or an unforeseen one, has left to be expected."""
    for part in view.parts:
        cache.expect(part.pack, otherwise)
    # From the last position to the first, so that a sample's first one is what stays.
    for end in range(len(order), 0, -_STEP):
        first = max(end - _STEP, 0)
        samples = order[first:end][::-1]
        times = np.arange(start + end - 1, start + first - 1, -1, dtype=np.uint64)
        located = view.locate(samples)
        for number, part in enumerate(view.parts):
            rows = np.flatnonzero(located.parts == number)
            cache.plan(cache.keys(part.pack, located.records[rows]), times[rows])
