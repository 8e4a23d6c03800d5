"""What tuning found: the curve, the choice, and the line of code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastload.measure.machine import Machine
from fastload.tune.budget import Budget, Refusal
from fastload.tune.headroom import REACHED, Headroom
from fastload.tune.settings import PackSettings
from fastload.tune.trial import Trial
from fastload.tune.turns import Turn

__all__ = ["Tuning"]

_VERSION = 1
_FEW = 1


@dataclass(frozen=True)
class Tuning:
    """All that was measured for one dataset, and what is to be taken.

    Attributes:
        dataset: the folder, the pack or what else was loaded, in words.
        images: how many it has.
        sampled: how many of them the trials loaded, again and again, from memory.
        transform: in words.
        batch_size: images a batch.
        machine: where it was measured.
        budget: what the loader may use.
        headroom: the step by itself; None where there is no step.
        target: images/s that the user asked for, or None.
        trials: in the order in which they were begun.
        choice: the one to take, one of ``trials``.
        refused: what was not tried, with reasons.
        turn: what the choice costs between two epochs; None where nothing depends on that.
        notes: sentences on what was decided without measuring.
        seconds: that all of it took.
    """

    dataset: str
    images: int
    sampled: int
    transform: str
    batch_size: int
    machine: Machine
    budget: Budget
    headroom: Headroom | None
    target: float | None
    trials: Sequence[Trial]
    choice: Trial
    refused: Sequence[Refusal]
    turn: Turn | None
    notes: Sequence[str]
    seconds: float

    @property
    def is_pack(self) -> bool:
        """Whether fastload's loader was tuned, and not torch's."""
        return isinstance(self.choice.settings, PackSettings)

    @property
    def code(self) -> str:
        """What to paste: the loader of ``dataset``, and where it comes from."""
        chosen = self.choice.settings.arguments()
        given = {"batch_size": self.batch_size, "shuffle": True, **chosen}
        words = ", ".join(f"{name}={value!r}" for name, value in given.items())
        home = "fastload" if self.is_pack else "torch.utils.data"
        return f"from {home} import DataLoader\n\nloader = DataLoader(dataset, {words})"

    def curve(self) -> list[tuple[int, float]]:
        """For each number of workers the most images/s of all that was tried with it."""
        best: dict[int, float] = {}
        for trial in self.trials:
            workers = trial.settings.num_workers
            best[workers] = max(best.get(workers, 0.0), trial.images_per_second)
        return sorted(best.items())

    @property
    def verdict(self) -> str:
        """Where the bottleneck is, in a sentence or two."""
        rate = self.choice.images_per_second
        if self.headroom is not None:
            return self._step_verdict(self.headroom.images_per_second, rate)
        if self.target is not None:
            reached = "reached" if rate >= self.target else "not reached"
            return f"{rate:,.0f} images/s; the target of {self.target:,.0f} is {reached}."
        return f"{rate:,.0f} images/s, with nothing done to the batches."

    def _step_verdict(self, alone: float, rate: float) -> str:
        figures = (
            f"The step takes {alone:,.0f} images/s from memory and {rate:,.0f} images/s from the "
            "loader"
        )
        if rate >= REACHED * alone:
            if self.choice.settings.num_workers <= _FEW:
                return f"{figures}: data is not the bottleneck."
            return f"{figures}: with this setting, data is not the bottleneck."
        if self.target is not None and rate >= self.target:
            return f"{figures}: the target of {self.target:,.0f} is reached."
        return (
            f"{figures}: {1 - rate / alone:.0%} of its speed is lost to loading, also with the "
            "best setting."
        )

    def as_dict(self) -> dict[str, Any]:
        """All of it, as JSON takes it."""
        return {
            "version": _VERSION,
            "dataset": self.dataset,
            "is_pack": self.is_pack,
            "images": self.images,
            "sampled": self.sampled,
            "transform": self.transform,
            "batch_size": self.batch_size,
            "machine": self.machine.as_dict(),
            "budget": self.budget.as_dict(),
            "headroom": None if self.headroom is None else self.headroom.as_dict(),
            "target": self.target,
            "trials": [trial.as_dict() for trial in self.trials],
            "choice": self.choice.as_dict(),
            "refused": [refusal.as_dict() for refusal in self.refused],
            "turn": None if self.turn is None else self.turn.as_dict(),
            "notes": list(self.notes),
            "seconds": self.seconds,
            "verdict": self.verdict,
            "code": self.code,
        }
