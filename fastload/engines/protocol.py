"""What an engine is: something that turns a slice of a plan into pixels.

An engine knows bytes and parameters, never where they were drawn. All engines get the same work
and give the same pixels, each at its own speed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from fastload.augment import Pipeline, Plan
from fastload.engines.cache import RecordCache
from fastload.engines.canvas import Canvas
from fastload.engines.pool import JobFacts
from fastload.store import Pack

__all__ = ["Engine", "Job", "Work"]


@dataclass(frozen=True)
class Work:
    """Some images of one batch.

    Attributes:
        pack: where the bytes are.
        records: int64, shape (n,): record ids.
        pipeline: what to do.
        plan: with which parameters; rows as in ``records``.
        canvas: where the results go.
        rows: int64, shape (n,): the image of the canvas that each record becomes.
        checked: uint8, one for each record of the pack: not 0 once its checksum has held.
        cache: where records are kept, or None.
        keys: uint64, shape (n,): what the records are called there.
        next_uses: uint64, shape (n,): when they are wanted again, in the cache's time.
    """

    pack: Pack
    records: npt.NDArray[np.int64]
    pipeline: Pipeline
    plan: Plan
    canvas: Canvas
    rows: npt.NDArray[np.int64]
    checked: npt.NDArray[np.uint8]
    cache: RecordCache | None
    keys: npt.NDArray[np.uint64]
    next_uses: npt.NDArray[np.uint64]

    def take(self, rows: npt.NDArray[np.int64]) -> Work:
        """The part of the work that concerns some of its rows."""
        return replace(
            self,
            records=self.records[rows],
            plan=self.plan.take(rows),
            rows=self.rows[rows],
            keys=self.keys[rows],
            next_uses=self.next_uses[rows],
        )


class Job(Protocol):
    """Work under way."""

    def wait(self, seconds: float | None) -> bool:
        """Whether it is done, after waiting at most ``seconds`` (None: as long as it takes).

        Signals are handled while it waits.
        """

    def failures(self) -> dict[int, str]:
        """Rows of the work (0 to n - 1) that could not be computed, with the reason."""

    def hand_over(self) -> None:
        """Let the GPU's current stream wait for the images; called once, when the job is done."""

    def facts(self) -> JobFacts:
        """What its images have taken so far; nothing once it is closed."""

    def close(self) -> None:
        """Cancel what has not begun; what has does not touch memory that is let go of."""


class Engine(Protocol):
    """A way to compute work; one loader's, in one process.

    Args:
        threads: how many compute, at least 1.
        decode: how JPEGs are decoded, "exact" or "fast".
        device: where the images are made.
        ahead: how many jobs may be open at once.
    """

    name: str

    def __init__(self, threads: int, decode: str, device: torch.device, ahead: int) -> None: ...

    @staticmethod
    def remarks(pipeline: Pipeline) -> tuple[str, ...]:
        """What a user should know of how the engine runs a pipeline, a line each."""

    def submit(self, work: Work) -> Job:
        """Begin some work and return at once."""

    def close(self) -> None:
        """Stop all threads. No job may be open."""
