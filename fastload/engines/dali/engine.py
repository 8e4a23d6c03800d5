"""DALI behind the engines' protocol."""

from __future__ import annotations

import time
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fastload.augment import Pipeline
from fastload.engines.canvas import Canvas
from fastload.engines.native import NativeEngine
from fastload.engines.pool import JobFacts
from fastload.engines.protocol import Job, Work
from fastload.engines.slots import Slots
from fastload.errors import EngineError
from fastload.store import Codec

try:
    from fastload.engines.dali.graph import recipe_of
    from fastload.engines.dali.operations import unsupported
    from fastload.engines.dali.runner import Batch, Runner
except ImportError as error:
    raise EngineError(
        "engine='dali' needs NVIDIA DALI: pip install 'fastload[dali]' (the wheel of CUDA 13, "
        f"which runs on the CPU alone too). Importing it said: {error}."
    ) from error

__all__ = ["DaliEngine"]

Rows = npt.NDArray[np.int64]


def decodes_files(device: torch.device) -> bool:
    """Whether DALI decodes the JPEG files, rather than the native library.

    On a CPU it does not: from there on the native decoder of crops takes about half of DALI's time.
    """
    return device.type == "cuda"


def _lacks(pipeline: Pipeline) -> str | None:
    """Why the whole of a pipeline goes to the native engine, or None where none of it does."""
    return next((reason for reason in map(unsupported, pipeline.ops) if reason), None)


class _NativeShare:
    """Rows that the native engine computes, wherever the images are to lie."""

    def __init__(self, engine: NativeEngine, work: Work, rows: Rows) -> None:
        self._rows = rows
        self._target = work.canvas
        self._places = work.rows[rows]
        self._aside: Canvas | None = None
        part = work.take(rows)
        if work.canvas.device.type != "cpu":
            self._aside = _beside(work.canvas, self._places)
            part = _onto(part, self._aside)
        self._job = engine.submit(part)

    def wait(self, seconds: float | None) -> bool:
        return self._job.wait(seconds)

    def failures(self) -> dict[int, str]:
        return {int(self._rows[row]): reason for row, reason in self._job.failures().items()}

    def hand_over(self) -> None:
        if self._aside is None:
            return
        for place, image in zip(self._places.tolist(), self._aside.images, strict=True):
            self._target.image(place).copy_(image)

    def facts(self) -> JobFacts:
        return self._job.facts()

    def close(self) -> None:
        self._job.close()


def _beside(canvas: Canvas, places: Rows) -> Canvas:
    """Main memory for some of a canvas's images."""
    return Canvas(
        canvas.output,
        canvas.heights[places],
        canvas.widths[places],
        Slots(0),
        device=torch.device("cpu"),
        pinned=True,
        channels_last=canvas.channels_last,
    )


def _onto(work: Work, canvas: Canvas) -> Work:
    return replace(work, canvas=canvas, rows=np.arange(len(canvas)))


class _DaliJob:
    """Rows under way in a graph, and those that the native engine takes."""

    def __init__(self, engine: DaliEngine, work: Work, batch: Batch, native: Rows) -> None:
        self._engine = engine
        self._work = work
        self._batch = batch
        self._shares: list[_NativeShare] = []
        self._settled = False
        self._send(native)

    def _send(self, rows: Rows) -> None:
        if len(rows):
            self._shares.append(_NativeShare(self._engine.native(), self._work, rows))

    def wait(self, seconds: float | None) -> bool:
        deadline = None if seconds is None else time.monotonic() + seconds
        if not self._batch.done.wait(seconds):
            return False
        if self._batch.error is not None:
            raise self._batch.error
        if not self._settled:
            self._settled = True
            self._send(self._batch.refused)
        for share in self._shares:
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            if not share.wait(left):
                return False
        return True

    def failures(self) -> dict[int, str]:
        return {row: reason for share in self._shares for row, reason in share.failures().items()}

    def hand_over(self) -> None:
        self._batch.hand_over(self._work)
        for share in self._shares:
            share.hand_over()

    def facts(self) -> JobFacts:
        return sum((share.facts() for share in self._shares), JobFacts())

    def close(self) -> None:
        self._batch.close()
        for share in self._shares:
            share.close()


class DaliEngine:
    """Decodes and transforms in one DALI graph, on the CPU or on a GPU.

    Records in formats that only Pillow reads, and those that DALI fails on, take the native
    engine's way; so does a whole pipeline that DALI cannot do, see :meth:`remarks`.

    Args:
        threads: of the CPU, at least 1.
        decode: "exact" or "fast", of what the native engine computes; DALI has one way.
        device: where the images are made.
        ahead: how many jobs may be open at once.
    """

    name = "dali"

    def __init__(self, threads: int, decode: str, device: torch.device, ahead: int) -> None:
        self._threads = threads
        self._decode = decode
        self._device = device
        self._ahead = ahead
        self._native: NativeEngine | None = None
        self._runners: dict[Any, Runner] = {}
        # Threads of the runners know nothing of the engine, so that it can be forgotten.
        self._closing = weakref.finalize(self, _close_all, self._runners)

    @staticmethod
    def remarks(pipeline: Pipeline) -> tuple[str, ...]:
        """That the native engine runs it, and why, where DALI cannot."""
        reason = _lacks(pipeline)
        return () if reason is None else (f"all by the native engine: {reason}",)

    def native(self) -> NativeEngine:
        """The native engine, started when it is first needed."""
        if self._native is None:
            cpu = torch.device("cpu")
            self._native = NativeEngine(self._threads, self._decode, cpu, self._ahead)
        return self._native

    def submit(self, work: Work) -> Job:
        """Begin some work and return at once."""
        able = np.ones(len(work.records), np.bool_)
        able[list(work.plan.failures)] = False
        by_dali = able & (work.pack.index.codec[work.records] != Codec.FILE)
        if _lacks(work.pipeline) is not None:
            by_dali[:] = False
        rows = np.flatnonzero(by_dali)
        batch = Batch(work, rows)
        if len(rows):
            self._runner(work, len(rows)).submit(batch)
        else:
            batch.done.set()
        return _DaliJob(self, work, batch, np.flatnonzero(able & ~by_dali))

    def _runner(self, work: Work, images: int) -> Runner:
        recipe = recipe_of(work.pipeline, work.canvas.channels_last, decodes_files(self._device))
        runner = self._runners.get(recipe.key)
        if runner is None or images > runner.most:
            if runner is not None:
                runner.close()
            runner = Runner(recipe, self._device, self._threads, images, max(self._ahead, 2))
            self._runners[recipe.key] = runner
        runner.recipe = recipe
        return runner

    def close(self) -> None:
        """Stop all threads."""
        self._closing()
        if self._native is not None:
            self._native.close()


def _close_all(runners: dict[Any, Runner]) -> None:
    for runner in runners.values():
        runner.close()
    runners.clear()
