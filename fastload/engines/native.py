"""The engine in C++: decodes, transforms and writes whole batches outside Python."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fastload.augment import Pipeline
from fastload.engines.canvas import Canvas
from fastload.engines.pool import (
    ITEM,
    JobFacts,
    OutputDtype,
    OutputLayout,
    Pool,
    PoolJob,
    PoolOutput,
)
from fastload.engines.protocol import Job, Work
from fastload.engines.split import SplitJob
from fastload.engines.torch import TorchEngine
from fastload.store import Codec

__all__ = ["NativeEngine", "native_items", "pool_output"]

_DTYPES = {
    torch.uint8: OutputDtype.UINT8,
    torch.float16: OutputDtype.FLOAT16,
    torch.bfloat16: OutputDtype.BFLOAT16,
    torch.float32: OutputDtype.FLOAT32,
}
# Python handles signals between waits: this is how late Ctrl-C may be heard.
_SIGNAL_PERIOD = 0.1


def pool_output(canvas: Canvas) -> PoolOutput:
    """What the native library is to write into a canvas."""
    output = canvas.output
    return PoolOutput(
        dtype=_DTYPES[output.dtype],
        layout=OutputLayout.INTERLEAVED if canvas.channels_last else OutputLayout.PLANAR,
        channels=output.channels,
        table=0 if output.is_levels else output.table.data_ptr(),
    )


def native_items(
    work: Work, steps: npt.NDArray[Any], out: npt.NDArray[np.uint64]
) -> npt.NDArray[Any]:
    """What the pool has to know of each image.

    Args:
        work: what to do.
        steps: dtype STEP, shape (n, steps); must outlive the result.
        out: where each image's results go, as addresses.
    """
    index = work.pack.index
    addresses, lengths = work.pack.locate(work.records)
    items = np.zeros(len(work.records), ITEM)
    items["payload"] = addresses
    items["length"] = lengths
    items["codec"] = index.codec[work.records]
    items["crc32c"] = index.crc32c[work.records]
    items["steps"] = steps.ctypes.data + np.arange(len(steps), dtype=np.uint64) * steps.strides[0]
    items["step_count"] = steps.shape[1]
    items["out_height"] = work.plan.heights
    items["out_width"] = work.plan.widths
    items["verified"] = work.checked.ctypes.data + work.records.astype(np.uint64)
    items["out"] = out
    items["key"] = work.keys
    items["next_use"] = work.next_uses
    return items


class _NativeJob:
    """Items under way; holds all memory that the pool reads and writes."""

    def __init__(self, pool: Pool, work: Work, decode: str) -> None:
        self._work = work
        self._steps = work.pipeline.write_steps(work.plan)
        self._items = native_items(work, self._steps, work.canvas.addresses[work.rows])
        output = pool_output(work.canvas)
        self._job: PoolJob = pool.submit(
            self._items, output, fast=decode == "fast", cache=work.cache
        )

    def wait(self, seconds: float | None) -> bool:
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            left = _SIGNAL_PERIOD
            if deadline is not None:
                left = min(left, max(deadline - time.monotonic(), 0.0))
            if self._job.wait(round(left * 1000)):
                return True
            if deadline is not None and time.monotonic() >= deadline:
                return False

    def failures(self) -> dict[int, str]:
        rows = np.flatnonzero(self._items["status"])
        return {int(row): self._items["message"][row].decode("utf-8", "replace") for row in rows}

    def hand_over(self) -> None:
        """Main memory needs nothing more."""

    def facts(self) -> JobFacts:
        return self._job.facts()

    def close(self) -> None:
        self._job.close()


class NativeEngine:
    """Threads in C++ that never hold the interpreter.

    Records kept as the source's own file (of a format that only Pillow reads) take Pillow's way.

    Args:
        threads: how many, at least 1.
        decode: "exact" or "fast".
        device: main memory.
        ahead: without effect: any number of jobs may be open.
    """

    name = "native"

    def __init__(self, threads: int, decode: str, device: torch.device, ahead: int) -> None:
        self._threads = threads
        self._device = device
        self._ahead = ahead
        self._decode = decode
        self._pool = Pool(threads)
        self._pillow: TorchEngine | None = None

    @staticmethod
    def remarks(pipeline: Pipeline) -> tuple[str, ...]:
        """Nothing: it does all that was lowered."""
        del pipeline
        return ()

    def submit(self, work: Work) -> Job:
        """Begin some work and return at once."""
        files = work.pack.index.codec[work.records] == Codec.FILE
        if not work.plan.failures and not files.any():
            return _NativeJob(self._pool, work, self._decode)
        able = np.ones(len(files), np.bool_)
        able[list(work.plan.failures)] = False
        native, pillow = np.flatnonzero(able & ~files), np.flatnonzero(able & files)
        jobs: list[tuple[npt.NDArray[np.int64], Job]] = []
        if len(native):
            jobs.append((native, _NativeJob(self._pool, work.take(native), self._decode)))
        if len(pillow):
            jobs.append((pillow, self._pillow_engine().submit(work.take(pillow))))
        return SplitJob(jobs)

    def _pillow_engine(self) -> TorchEngine:
        if self._pillow is None:
            self._pillow = TorchEngine(self._threads, "exact", self._device, self._ahead)
        return self._pillow

    def close(self) -> None:
        """Stop all threads."""
        self._pool.close()
        if self._pillow is not None:
            self._pillow.close()
