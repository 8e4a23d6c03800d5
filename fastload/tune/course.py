"""The course of a tuning: budget, headroom, trials, choice."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from fastload.errors import TuneError
from fastload.measure.machine import this_machine
from fastload.tune.budget import Budget, Needs, read_budget
from fastload.tune.headroom import REACHED, Headroom, replay
from fastload.tune.question import Question
from fastload.tune.search import Space, search
from fastload.tune.settings import Settings
from fastload.tune.share import on_its_share
from fastload.tune.trial import Trial, Window
from fastload.tune.trials import Trials
from fastload.tune.tuning import Tuning
from fastload.tune.turns import Turn

__all__ = ["Subject", "run_course"]

# Of each, replayed in turns: what a step does may depend on what it gets.
_REPLAYED = 2
# Enough to know how large a batch is.
_WEIGHED = 8
# Windows of one setting that lie farther apart than this were disturbed.
_QUIET = 0.15


class Subject(ABC):
    """What is tuned: a dataset, and how its loader is made.

    Attributes:
        name: of the dataset, for people.
        transform: in words.
        images: how many it has.
        sampled: how many of them the trials load.
    """

    name: str
    transform: str
    images: int
    sampled: int

    @abstractmethod
    def space(self, budget: Budget) -> Space:
        """What may be tried."""

    @abstractmethod
    def batches(self, count: int, batch_size: int) -> list[Any]:
        """Some batches, made without workers."""

    @abstractmethod
    def run(self, settings: Settings, question: Question) -> Window:
        """One window of a setting."""

    def turn(self, choice: Trial, question: Question) -> Turn | None:
        """What the choice costs between two epochs, where something depends on that."""
        return None

    def settled(self, settings: Settings, turn: Turn | None) -> Settings:
        """The choice, with what the turn between epochs decides."""
        return settings

    @abstractmethod
    def notes(self) -> Iterator[str]:
        """What was decided without measuring, in sentences."""


def run_course(subject: Subject, question: Question) -> Tuning:
    """Tune.

    Raises:
        TuneError: not even the smallest setting fits, or its loader dies.
    """
    began = time.monotonic()
    # Before the share of CPUs is taken, which is then all that can be seen.
    budget = read_budget(question.ranks)
    machine = this_machine()
    with on_its_share(budget):
        needs, headroom = _looked_ahead(subject, question, budget)
        space = subject.space(budget)
        _check_smallest(needs, space.start)
        enough = _enough(question.target, headroom)
        trials = Trials(
            lambda settings: subject.run(settings, question), needs.against, question.progress
        )
        found = search(trials, space, enough)
        if found.failure:
            raise TuneError(f"The loader died with {found.settings.words()}: {found.failure}.")
        turn = subject.turn(found, question)
    choice = replace(found, settings=subject.settled(found.settings, turn))
    return Tuning(
        dataset=subject.name,
        images=subject.images,
        sampled=subject.sampled,
        transform=subject.transform,
        batch_size=question.batch_size,
        machine=machine,
        budget=budget,
        headroom=headroom,
        target=question.target,
        trials=[choice if trial is found else trial for trial in trials.all],
        choice=choice,
        refused=trials.refused,
        turn=turn,
        notes=[*subject.notes(), *_common_notes(subject, space, choice, question.step)],
        seconds=time.monotonic() - began,
    )


def _looked_ahead(
    subject: Subject, question: Question, budget: Budget
) -> tuple[Needs, Headroom | None]:
    """How large a batch is, and how fast the step by itself."""
    if question.step is None:
        size = min(_WEIGHED, question.batch_size)
        (batch,) = subject.batches(1, size)
        return Needs(budget, _bytes_of(batch) * question.batch_size // size), None
    batches = subject.batches(_REPLAYED, question.batch_size)
    headroom = replay(question.step, batches, question.batch_size, question.seconds)
    return Needs(budget, _bytes_of(batches[0])), headroom


def _bytes_of(batch: Any) -> int:
    """What the arrays of a batch take."""
    if isinstance(batch, Mapping):
        batch = list(batch.values())
    if isinstance(batch, (list, tuple)):
        return sum(map(_bytes_of, batch))
    return int(getattr(batch, "nbytes", 0))


def _check_smallest(needs: Needs, smallest: Settings) -> None:
    reason = needs.against(smallest)
    if reason:
        raise TuneError(f"Not even the smallest setting fits here: {reason}.")


def _enough(target: float | None, headroom: Headroom | None) -> float | None:
    """With how many images/s the search is over."""
    wanted = [] if target is None else [target]
    if headroom is not None:
        wanted.append(REACHED * headroom.images_per_second)
    return min(wanted, default=None)


def _common_notes(
    subject: Subject, space: Space, choice: Trial, step: Callable[[Any], object] | None
) -> Iterator[str]:
    if subject.sampled < subject.images:
        yield (
            f"The trials load {subject.sampled:,} of the {subject.images:,} images, drawn at "
            "random, from memory: the disk is not measured."
        )
    else:
        yield "The images are in memory when they are measured: the disk is not measured."
    if all(axis.field != "pin_memory" for axis in space.axes):
        yield "There is no GPU: pin_memory makes no difference and is not tried."
    elif step is None:
        yield "No step is given: batches are copied to the GPU, and no more."
    low, high = choice.spread
    if high - low > _QUIET * choice.images_per_second:
        yield (
            f"The windows of the choice lie between {low:,.0f} and {high:,.0f} images/s: something "
            "else was running. Tune again when the machine is quiet."
        )
