"""The engine on FFCV's decoder.

FFCV decodes each JPEG, crops it and resizes it; the native library does the rest on the resized
pixels. Other codecs, and JPEGs that FFCV does not decode cleanly, are the native engine's.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fastload.augment import Pipeline
from fastload.engines.ffcv.cutting import cut_files
from fastload.engines.ffcv.decoder import planned_rows, planned_stages, resizes, split_plan
from fastload.engines.ffcv.finishing import PIXELS, PIXELS_CODEC, ROW_PADDING, finish
from fastload.engines.ffcv.stages import Stages
from fastload.engines.native import NativeEngine
from fastload.engines.pool import ITEM, JobFacts
from fastload.engines.protocol import Job, Work
from fastload.store import Codec

__all__ = ["FfcvEngine"]

# Few enough to keep the resized pixels in the processor's cache, enough to make calls coarse.
_IMAGES_A_CALL = 8

Rows = npt.NDArray[np.int64]


class _Room(threading.local):
    """Memory of one thread, as large as its largest call has needed."""

    def __init__(self) -> None:
        self._rooms: dict[str, npt.NDArray[np.uint8]] = {}

    def bytes(self, name: str, size: int) -> npt.NDArray[np.uint8]:
        """At least ``size`` bytes."""
        room = self._rooms.get(name)
        if room is None or len(room) < size:
            room = self._rooms[name] = np.empty(size, np.uint8)
        return room


class _FfcvJob:
    """JPEGs under way in FFCV, and the other rows in the native engine."""

    def __init__(
        self,
        work: Work,
        pool: ThreadPoolExecutor,
        stages: Stages,
        room: _Room,
        native: NativeEngine,
    ) -> None:
        self._work, self._stages, self._room, self._native = work, stages, room, native
        index, records = work.pack.index, work.records
        jpeg = index.codec[records] == Codec.JPEG
        able = np.ones(len(records), np.bool_)
        able[list(work.plan.failures)] = False
        self._metadata = planned_rows(
            work.pipeline, work.plan, index.height[records], index.width[records]
        )
        pipeline, plan = split_plan(work.pipeline, work.plan)
        self._steps = pipeline.write_steps(plan)
        self._missed: list[int] = []
        self._others: list[tuple[Rows, Job]] = []
        self._give(np.flatnonzero(able & ~jpeg))
        rows = np.flatnonzero(able & jpeg)
        calls = [
            rows[start : start + _IMAGES_A_CALL] for start in range(0, len(rows), _IMAGES_A_CALL)
        ]
        self._futures: list[Future[None]] = [pool.submit(self._compute, call) for call in calls]

    def _give(self, rows: Rows) -> None:
        """Let the native engine do some rows."""
        if len(rows):
            self._others.append((rows, self._native.submit(self._work.take(rows))))

    def _compute(self, rows: Rows) -> None:
        work, images = self._work, self._metadata["f0"][rows]
        files, sound, _arena = cut_files(work, rows, images["top"], images["box_height"])
        self._missed.extend(rows[~sound].tolist())
        rows, files = rows[sound], files[sound]
        if not len(rows):
            return
        metadata, pixels, results = self._placed(rows, files)
        codes = self._decode(metadata, results, files)
        self._missed.extend(rows[codes != 0].tolist())
        decoded = np.flatnonzero(codes == 0)
        # Items point to these.
        pixels = pixels[decoded]
        items = self._items(rows[decoded], pixels)
        finish(items, work.canvas)
        self._missed.extend(rows[decoded[items["status"] != 0]].tolist())

    def _placed(self, rows: Rows, files: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """Metadata with places for the results, the results' descriptions, their memory."""
        metadata = self._metadata[rows]
        images = metadata["f0"]
        images["height"] = files["height"]
        images["top"] -= files["top"]
        images["data_ptr"] = np.arange(len(rows))
        resized = images["out_height"] > 0
        pixels = np.zeros(len(rows), PIXELS)
        pixels["height"] = np.where(resized, images["out_height"], images["height"])
        pixels["width"] = np.where(resized, images["out_width"], images["width"])
        ends = np.cumsum(pixels["height"].astype(np.int64) * pixels["width"] * 3)
        images["out"][1:] = ends[:-1]
        results = self._room.bytes("results", int(ends[-1]) + ROW_PADDING)
        pixels["rgb"] = images["out"] + np.uint64(results.ctypes.data)
        return metadata, pixels, results

    def _decode(
        self,
        metadata: npt.NDArray[Any],
        results: npt.NDArray[np.uint8],
        files: npt.NDArray[Any],
    ) -> npt.NDArray[np.int32]:
        images = metadata["f0"]
        largest = int((images["height"].astype(np.int64) * images["width"]).max()) * 3
        scratch = self._room.bytes("scratch", largest)
        codes = np.empty(len(metadata), np.int32)
        memory = dict.fromkeys(self._stages.requirements["operation"], (scratch, results, codes))
        state = images["data_ptr"].copy(), files["data"].copy(), files["size"].copy()
        indices = np.arange(len(metadata))
        shared = self._stages.requirements["shared"]
        self._stages.run(indices, metadata, state, {"operation": memory, "shared": shared})
        return codes

    def _items(self, rows: Rows, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        work, steps = self._work, self._steps
        items = np.zeros(len(rows), ITEM)
        places = np.arange(len(rows), dtype=np.uint64)
        items["payload"] = pixels.ctypes.data + places * np.uint64(PIXELS.itemsize)
        items["length"] = PIXELS.itemsize
        items["codec"] = PIXELS_CODEC
        items["steps"] = steps.ctypes.data + rows.astype(np.uint64) * np.uint64(steps.strides[0])
        items["step_count"] = steps.shape[1]
        items["out_height"] = work.plan.heights[rows]
        items["out_width"] = work.plan.widths[rows]
        items["out"] = work.canvas.addresses[work.rows[rows]]
        return items

    def wait(self, seconds: float | None) -> bool:
        """Whether it is done; what a thread has raised is raised here."""
        deadline = None if seconds is None else time.monotonic() + seconds

        def left() -> float | None:
            return None if deadline is None else max(deadline - time.monotonic(), 0.0)

        if wait(self._futures, left()).not_done:
            return False
        for future in self._futures:
            future.result()
        # What FFCV does not decode cleanly, the native engine judges.
        missed, self._missed = self._missed, []
        self._give(np.sort(np.array(missed, np.int64)))
        return all(job.wait(left()) for _, job in self._others)

    def failures(self) -> dict[int, str]:
        """Rows that the native engine could not compute either, with its reason."""
        return {
            int(rows[row]): reason
            for rows, job in self._others
            for row, reason in job.failures().items()
        }

    def facts(self) -> JobFacts:
        """Of the rows of the native engine: FFCV does not tell."""
        return sum((job.facts() for _, job in self._others), JobFacts())

    def hand_over(self) -> None:
        """Do nothing: the images are in main memory."""

    def close(self) -> None:
        # What has begun ends by itself and keeps its memory alive, see the torch engine.
        for future in self._futures:
            future.cancel()
        for _, job in self._others:
            job.close()


def _enter(thread: threading.local) -> None:
    thread.is_own = True


class FfcvEngine:
    """FFCV's compiled code in Python threads, without the interpreter's lock.

    Args:
        threads: how many, at least 1.
        decode: for the rows of the native engine; FFCV has one way.
        device: must be the CPU.
        ahead: how many jobs may be open at once; nothing depends on it.
    """

    name = "ffcv"

    def __init__(
        self,
        threads: int,
        decode: str,
        device: torch.device,
        ahead: int,
    ) -> None:
        self._stages = planned_stages()
        self._room = _Room()
        self._native = NativeEngine(threads, decode, device, ahead)
        # Garbage collection may close the engine in one of its own threads.
        self._thread = threading.local()
        self._pool = ThreadPoolExecutor(threads, "fastload-ffcv", _enter, (self._thread,))
        # All threads at once, so that later passes add none.
        meeting = threading.Barrier(threads)
        wait([self._pool.submit(meeting.wait) for _ in range(threads)])

    @staticmethod
    def remarks(pipeline: Pipeline) -> tuple[str, ...]:
        """Which part FFCV does, and which the native library."""
        if resizes(pipeline):
            mine = "decodes, crops and resizes (OpenCV's INTER_AREA, not Pillow's bilinear)"
        else:
            mine = "decodes"
        return (
            f"  FFCV {mine}; the native library does the rest on those pixels",
            "  records that are no JPEG, or that FFCV does not decode cleanly: the native engine",
        )

    def submit(self, work: Work) -> Job:
        """Begin some work and return at once."""
        return _FfcvJob(work, self._pool, self._stages, self._room, self._native)

    def close(self) -> None:
        """Stop all threads."""
        own = getattr(self._thread, "is_own", False)
        self._pool.shutdown(wait=not own, cancel_futures=True)
        self._native.close()
