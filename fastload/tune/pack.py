"""Tuning fastload's ``DataLoader`` over a pack."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torchvision.transforms import v2

from fastload.caching import AUTO_SHARE
from fastload.cpus import local_ranks
from fastload.dataset import ImageFolder
from fastload.engines import check_engine, engine_class
from fastload.engines.cache import shared_cache
from fastload.explanation import named_transforms
from fastload.loader import DataLoader
from fastload.store import Codec
from fastload.tune.budget import Budget
from fastload.tune.consuming import consumer, pinning
from fastload.tune.course import Subject, run_course
from fastload.tune.images import Endless, sampled
from fastload.tune.question import Question
from fastload.tune.running import Pace, run_window
from fastload.tune.search import Axis, Space
from fastload.tune.settings import PackSettings, Settings
from fastload.tune.trial import Window
from fastload.tune.tuning import Tuning
from fastload.view import view_of

__all__ = ["tune_pack"]

_PREFETCH = (4, 8)
# Whole images, so that the cache has all there is to keep; what becomes of them does not matter.
_FILLING = v2.Compose([v2.Resize((32, 32)), v2.PILToTensor()])
# Behind the filling, images that come twice more are kept as samples where there is room.
_PASSES = 2
# Of these codecs the cache keeps something.
_KEPT = (Codec.JPEG, Codec.QOI)
# Images of a batch while the cache is filled.
_FILLED_AT_ONCE = 64
_NATIVE, _EXACT = "native", "exact"


def tune_pack(
    source: str | os.PathLike[str] | ImageFolder,
    transform: Callable[[Any], Any] | None = None,
    *,
    batch_size: int = 128,
    step: Callable[[Any], object] | None = None,
    target: float | None = None,
    seconds: float = 2.0,
    engines: Sequence[str] = (_NATIVE,),
    decodes: Sequence[str] = (_EXACT,),
    ranks: int | None = None,
    progress: Callable[[Settings, Window], None] | None = None,
) -> Tuning:
    """Find the smallest setting of fastload's ``DataLoader`` that is within 3 % of the fastest.

    As :func:`tune_folder`, with threads in place of workers. Trials with the cache begin with a
    full one, as every epoch but the first does; it is made as much smaller as the trials load
    fewer images than the pack has, so that a pack that does not fit shows here as well.

    Args:
        source: a pack, or an ``ImageFolder`` of one.
        transform: of the pack; an ``ImageFolder`` has its own.
        batch_size: images a batch.
        step: what training does with a batch.
        target: images/s that are enough.
        seconds: of each window.
        engines: that are tried; others than "native" give pixels that differ a little.
        decodes: that are tried; "fast" gives pixels that differ a little.
        ranks: training processes that share this machine; None for what ``torchrun`` says, or 1.
        progress: called after each window.

    Raises:
        TuneError: not even the smallest setting fits.
        PackError: ``source`` is no pack.
        EngineError: an engine is unknown or not installed.
        TypeError: a transform is given for an ``ImageFolder``.
        ValueError: a number is too small, or the dataset changes how samples are made.
    """
    many = local_ranks() if ranks is None else ranks
    question = Question(batch_size, step, target, seconds, many, progress)
    for engine in engines:
        check_engine(engine, _EXACT)
        engine_class(engine, torch.device("cpu"))
    for decode in decodes:
        check_engine(_NATIVE, decode)
    subject = _Pack(_opened(source, transform), batch_size, engines, decodes)
    try:
        return run_course(subject, question)
    finally:
        subject.close()


def _opened(
    source: str | os.PathLike[str] | ImageFolder, transform: Callable[[Any], Any] | None
) -> ImageFolder:
    if not isinstance(source, ImageFolder):
        return ImageFolder(os.fspath(source), transform)
    if transform is not None:
        raise TypeError("An ImageFolder has its own transform: leave transform= out.")
    if view_of(source) is None:
        raise ValueError(
            f"{type(source).__name__} makes its samples itself: give tune_folder such a dataset."
        )
    return source


class _Pack(Subject):
    def __init__(
        self,
        dataset: ImageFolder,
        batch_size: int,
        engines: Sequence[str],
        decodes: Sequence[str],
    ) -> None:
        self._dataset = dataset
        self._chosen = sampled(len(dataset), batch_size)
        # The native engine is what the loader takes by itself.
        self._engines = ["auto" if engine == _NATIVE else engine for engine in engines]
        self._decodes = list(decodes)
        codecs = dataset.pack.index.codec[dataset.records(self._chosen)]
        self._keeps = bool(np.isin(codecs, _KEPT).any()) and "auto" in self._engines
        self._cache_bytes = 0
        self._keeper: DataLoader | None = None
        self._filled_for = ""
        self.name = str(dataset.pack.root)
        self.transform = ", ".join(named_transforms(dataset.pipeline))
        self.images, self.sampled = len(dataset), len(self._chosen)

    def space(self, budget: Budget) -> Space:
        share = self.sampled / self.images
        self._cache_bytes = int(AUTO_SHARE * budget.memory * share) if self._keeps else 0
        self._fill(self._decodes[0])
        start = PackSettings(
            1,
            cache="auto" if self._keeps else 0,
            engine=self._engines[0],
            decode=self._decodes[0],
        )
        axes = [
            Axis("cache", (0,), saves=True) if self._keeps else None,
            Axis("prefetch_factor", _PREFETCH, climbs=True),
            *pinning(),
            Axis("decode", self._decodes[1:]),
            Axis("engine", self._engines[1:]),
        ]
        # One thread more than there are CPUs: the consumer's own work leaves gaps.
        return Space(start, budget.cpus + 1, [axis for axis in axes if axis and axis.values])

    def _fill(self, decode: str) -> None:
        """Read the images once and let the cache have them; it keeps them as long as the keeper.

        What it keeps for one way to decode is of no use to another.
        """
        self.close()
        whole = copy.copy(self._dataset)
        whole.transform = _FILLING
        self._keeper = self._loader(whole, cache=self._cache_bytes)
        own = self._loader(self._dataset, cache=self._cache_bytes, decode=decode)
        for loader in (self._keeper, *[own] * _PASSES):
            for _ in islice(loader, -(-self.sampled // _FILLED_AT_ONCE)):
                pass
        own.close()
        self._filled_for = decode

    def close(self) -> None:
        """Let go of the cache."""
        if self._keeper is not None:
            self._keeper.close()

    def batches(self, count: int, batch_size: int) -> list[Any]:
        loader = self._loader(self._dataset, batch_size, num_workers=0, cache=0)
        try:
            return list(islice(loader, count))
        finally:
            loader.close()

    def run(self, settings: Settings, question: Question) -> Window:
        assert isinstance(settings, PackSettings)
        arguments = settings.arguments()
        cached = settings.cache != 0 and settings.engine == "auto"
        if cached:
            arguments["cache"] = self._cache_bytes
        if cached and settings.decode != self._filled_for:
            self._fill(settings.decode)
        before = shared_cache().facts().bytes
        window = run_window(
            lambda: self._loader(self._dataset, batch_size=question.batch_size, **arguments),
            Pace.of(settings, question.batch_size, question.seconds),
            consumer(question.step),
        )
        after = shared_cache().facts().bytes
        # The cache was full before, and is as much smaller as the trials load fewer images.
        whole = round(after * self.images / self.sampled) if cached else 0
        return replace(window, memory=max(0, window.memory - (after - before)) + whole)

    def _loader(
        self, dataset: ImageFolder, batch_size: int = _FILLED_AT_ONCE, **given: Any
    ) -> DataLoader:
        return DataLoader(
            dataset, batch_size, sampler=Endless(self._chosen), drop_last=True, **given
        )

    def notes(self) -> Iterator[str]:
        if not self._keeps:
            yield "The cache would keep nothing of these records: it is not tried."
        for engine in self._engines[1:]:
            yield (
                f"engine={engine!r} gives pixels that differ by a few levels from the native "
                "engine's (docs/engines.md says by how many)."
            )
        if "fast" in self._decodes:
            yield "decode='fast' gives pixels near the exact ones (docs/loading.md says how near)."
        if self._engines == ["auto"] and self._decodes == [_EXACT]:
            yield (
                "Other engines and decode='fast' change pixels a little: they are not tried, but "
                "with --engines installed and --decode exact,fast."
            )
