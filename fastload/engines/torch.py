"""The engine that all others are held against: Pillow decodes, torchvision computes."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fastload.augment import Container, Pipeline, Plan
from fastload.augment.erase import RandomErasing
from fastload.engines.pool import JobFacts
from fastload.engines.protocol import Job, Work
from fastload.store.decoding import decode_with_pillow

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

__all__ = ["TorchEngine", "render"]


def render(image: PILImage, pipeline: Pipeline, plan: Plan, row: int, out: torch.Tensor) -> None:
    """Run a plan's row on an image and write the result into ``out``."""
    result: Any = image
    erasures = []
    for op, columns in zip(pipeline.ops, plan.columns, strict=True):
        if isinstance(op, RandomErasing):
            erasures.append((op, columns))
        else:
            result = op.apply(result, columns, row)
    output = pipeline.output
    if output.channels == 1:
        result = result.getchannel(0)
    if output.container is Container.PIL:
        out.copy_(torch.from_numpy(np.array(result)).view(out.shape))
        return
    for conversion in output.conversions:
        result = conversion(result)
    out.copy_(result)
    for op, columns in erasures:
        op.apply(out, columns, row)


class _TorchJob:
    def __init__(self, work: Work, pool: ThreadPoolExecutor) -> None:
        self._work = work
        self._futures: list[Future[None]] = [
            pool.submit(self._compute, row) for row in range(len(work.records))
        ]

    def _compute(self, row: int) -> None:
        work = self._work
        if row in work.plan.failures:
            return
        image = decode_with_pillow(work.pack, int(work.records[row]))
        out = work.canvas.image(int(work.rows[row]))
        render(image, work.pipeline, work.plan, row, out)

    def wait(self, seconds: float | None) -> bool:
        return not wait(self._futures, seconds).not_done

    def failures(self) -> dict[int, str]:
        errors = ((row, future.exception()) for row, future in enumerate(self._futures))
        return {row: f"{type(error).__name__}: {error}" for row, error in errors if error}

    def hand_over(self) -> None:
        """Main memory needs nothing more."""

    def facts(self) -> JobFacts:
        return JobFacts()

    def close(self) -> None:
        # What has begun ends by itself and keeps its memory alive. Waiting could be for ever:
        # garbage collection may close a job in the very thread that computes it.
        for future in self._futures:
            future.cancel()


def _enter(thread: threading.local) -> None:
    thread.is_own = True


class TorchEngine:
    """Computes in Python threads; Pillow lets them run side by side.

    Args:
        threads: how many, at least 1.
        decode: without effect: Pillow has one way alone.
        device: main memory.
        ahead: without effect: any number of jobs may be open.
    """

    name = "torch"

    def __init__(self, threads: int, decode: str, device: torch.device, ahead: int) -> None:
        del decode, device, ahead
        # Garbage collection may close the engine in one of its threads, which cannot wait for
        # itself.
        self._thread = threading.local()
        self._pool = ThreadPoolExecutor(threads, "fastload-torch", _enter, (self._thread,))

    @staticmethod
    def remarks(pipeline: Pipeline) -> tuple[str, ...]:
        """Nothing: it does all that was lowered."""
        del pipeline
        return ()

    def submit(self, work: Work) -> Job:
        """Begin some work and return at once."""
        return _TorchJob(work, self._pool)

    def close(self) -> None:
        """Stop all threads."""
        own = getattr(self._thread, "is_own", False)
        self._pool.shutdown(wait=not own, cancel_futures=True)
