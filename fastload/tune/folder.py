"""Tuning torch's ``DataLoader`` over a label folder, or over any dataset of torch's kind."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset, IterableDataset
from torchvision.datasets import ImageFolder

from fastload.cpus import local_ranks
from fastload.explanation import one_line
from fastload.tune.budget import Budget
from fastload.tune.consuming import consumer, pinning
from fastload.tune.course import Subject, run_course
from fastload.tune.images import Endless, read_files, sampled
from fastload.tune.question import Question
from fastload.tune.running import Pace, run_window
from fastload.tune.search import Axis, Space
from fastload.tune.settings import FolderSettings, Settings
from fastload.tune.trial import Trial, Window
from fastload.tune.tuning import Tuning
from fastload.tune.turns import Turn, measure_turn

__all__ = ["tune_folder"]

# More processes than CPUs fill the gaps in which some wait; beyond twice as many, they only wait.
_PROCESSES_A_CPU = 2
_PREFETCH = (4, 8)


def tune_folder(
    source: str | os.PathLike[str] | Dataset[Any],
    transform: Callable[[Any], Any] | None = None,
    *,
    batch_size: int = 128,
    step: Callable[[Any], object] | None = None,
    target: float | None = None,
    seconds: float = 2.0,
    ranks: int | None = None,
    progress: Callable[[Settings, Window], None] | None = None,
) -> Tuning:
    """Find the smallest setting of torch's ``DataLoader`` that is within 3 % of the fastest.

    Each setting's loader is made anew, warmed up until more than its queue has been taken, and
    measured for some seconds. Numbers of workers are doubled while that helps and refined; then
    prefetching and, where there is a GPU, pinning are varied; what came near the best is measured
    twice more, in turns. Whether workers live on is decided by what starting them costs an epoch.

    Args:
        source: a label folder, as torchvision's ``ImageFolder`` takes it, or a map-style dataset.
        transform: of the folder; a dataset has its own.
        batch_size: images a batch.
        step: what training does with a batch; it then runs in all trials, and the search ends
            where the loader keeps up with it.
        target: images/s that are enough.
        seconds: of each window.
        ranks: training processes that share this machine; None for what ``torchrun`` says, or 1.
        progress: called after each window.

    Raises:
        TuneError: not even the smallest setting fits.
        TypeError: the dataset has no length, or a transform is given for a dataset.
        ValueError: a number is too small.

    >>> from fastload.tune import tune_folder
    >>> class Digits:
    ...     def __len__(self): return 100
    ...     def __getitem__(self, index): return index
    >>> tuning = tune_folder(Digits(), batch_size=10, target=1.0, seconds=0.01)
    >>> print(tuning.code.splitlines()[-1])
    loader = DataLoader(dataset, batch_size=10, shuffle=True, num_workers=0)
    """
    many = local_ranks() if ranks is None else ranks
    question = Question(batch_size, step, target, seconds, many, progress)
    return run_course(_Folder(_opened(source, transform), batch_size), question)


def _opened(
    source: str | os.PathLike[str] | Dataset[Any], transform: Callable[[Any], Any] | None
) -> Any:
    if isinstance(source, (str, os.PathLike)):
        return ImageFolder(source, transform)
    if transform is not None:
        raise TypeError("A dataset has its own transform: leave transform= out.")
    if isinstance(source, IterableDataset) or not hasattr(source, "__len__"):
        raise TypeError(
            f"{type(source).__name__} has no length: the tuner takes datasets whose samples have "
            "numbers."
        )
    return source


class _Folder(Subject):
    def __init__(self, dataset: Any, batch_size: int) -> None:
        self._dataset = dataset
        self._chosen = sampled(len(dataset), batch_size)
        self.name = str(getattr(dataset, "root", type(dataset).__name__))
        self.transform = one_line(getattr(dataset, "transform", None))
        self.images, self.sampled = len(dataset), len(self._chosen)
        self._read = read_files(dataset, self._chosen)

    def space(self, budget: Budget) -> Space:
        axes = (Axis("prefetch_factor", _PREFETCH, climbs=True), *pinning())
        return Space(FolderSettings(0), _PROCESSES_A_CPU * budget.cpus, axes)

    def batches(self, count: int, batch_size: int) -> list[Any]:
        loader: DataLoader[Any] = DataLoader(
            self._dataset, batch_size, sampler=Endless(self._chosen)
        )
        return list(islice(loader, count))

    def run(self, settings: Settings, question: Question) -> Window:
        with _many_workers():
            return run_window(
                lambda: self._loader(settings, question.batch_size, Endless(self._chosen)),
                Pace.of(settings, question.batch_size, question.seconds),
                consumer(question.step),
            )

    def _loader(self, settings: Settings, batch_size: int, sampler: Any) -> DataLoader[Any]:
        return DataLoader(
            self._dataset, batch_size, sampler=sampler, drop_last=True, **settings.arguments()
        )

    def turn(self, choice: Trial, question: Question) -> Turn | None:
        if not choice.settings.num_workers:
            return None
        # As short as an epoch can be in which each worker has something to do.
        images = np.resize(self._chosen, choice.settings.num_workers * question.batch_size)

        def make(kept: bool) -> DataLoader[Any]:
            settings = _with_workers_kept(choice.settings, kept)
            return self._loader(settings, question.batch_size, images.tolist())

        with _many_workers():
            return measure_turn(make, self.images / choice.images_per_second)

    def settled(self, settings: Settings, turn: Turn | None) -> Settings:
        return _with_workers_kept(settings, turn is not None and turn.worth_keeping)

    def notes(self) -> Iterator[str]:
        if not self._read:
            yield (
                "The dataset does not tell its files: the first trials may have read from the "
                "disk what later ones found in memory."
            )


def _with_workers_kept(settings: Settings, kept: bool) -> FolderSettings:
    assert isinstance(settings, FolderSettings)
    return replace(settings, persistent_workers=kept)


@contextmanager
def _many_workers() -> Iterator[None]:
    """Whether so many workers are too many is what is being found out: torch need not say it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This DataLoader will create")
        yield
