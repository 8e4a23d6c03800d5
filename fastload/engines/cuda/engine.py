"""The native engine on a GPU: the pool gathers, one copy crosses the bus, kernels follow."""

from __future__ import annotations

import warnings
from concurrent.futures import Future, ThreadPoolExecutor, wait
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
import torch

from fastload.augment import Pipeline
from fastload.engines.canvas import Canvas
from fastload.engines.cuda.arenas import Arenas
from fastload.engines.cuda.gathered import GATHERED, set_rooms
from fastload.engines.cuda.lane import Lane, Mark, lane_of
from fastload.engines.native import NativeEngine, native_items
from fastload.engines.pool import JobFacts, Pool, PoolJob
from fastload.engines.protocol import Job, Work
from fastload.engines.slots import Slots
from fastload.engines.split import SplitJob
from fastload.store import Codec

__all__ = ["CudaEngine"]

Rows = npt.NDArray[np.int64]

# So often, in seconds, the thread that waits for the pool looks whether its job was closed.
_PERIOD = 0.1

_NO_TRITON = (
    "engine='native' decodes on the CPU and copies: kernels for a GPU need Triton, which comes "
    "with torch's CUDA builds (`pip install triton`)"
)


class _GatheredJob:
    """Images that the pool gathers and kernels then make."""

    def __init__(
        self,
        pool: Pool,
        arenas: Arenas,
        lane: Lane,
        launcher: ThreadPoolExecutor,
        work: Work,
    ) -> None:
        from fastload.engines.cuda.tables import table_bytes

        self._work = work
        self._lane = lane
        self._arenas = arenas
        self._steps = work.pipeline.write_steps(work.plan)
        self._gathered = np.zeros(len(work.records), GATHERED)
        places = np.arange(len(work.records), dtype=np.uint64) * np.uint64(GATHERED.itemsize)
        out = np.uint64(self._gathered.ctypes.data) + places
        self._items = native_items(work, self._steps, out)
        index = work.pack.index
        room = set_rooms(self._items, index.height[work.records], index.width[work.records])
        head = table_bytes(len(work.records), self._steps, work.pipeline.output)
        self._arena = arenas.take(head + room)
        self._pool_job: PoolJob = pool.gather(
            self._items, self._arena.data_ptr(), len(self._arena), head, work.cache
        )
        self._images: torch.Tensor | None = None
        self._mark: Mark | None = None
        self._closed = False
        self._begun = launcher.submit(self._begin_kernels)

    def _begin_kernels(self) -> None:
        """Wait for the pool and let the device make the images."""
        while not self._closed and not self._pool_job.wait(round(_PERIOD * 1000)):
            pass
        if not self._closed:
            self._launch()

    def _launch(self) -> None:
        from fastload.engines.cuda.render import render, shape_for
        from fastload.engines.cuda.tables import write_tables

        canvas, output = self._work.canvas, self._work.pipeline.output
        plan = self._work.plan
        assert plan.size is not None
        used = self._pool_job.arena_used()
        shape = shape_for(canvas.device)
        programs, size = write_tables(
            self._arena, used, self._gathered, self._steps, output, plan.size, shape.tile
        )
        with self._lane.running():
            images = torch.empty(
                (len(plan), output.channels, *plan.size),
                dtype=output.dtype,
                device=canvas.device,
                memory_format=(
                    torch.channels_last if canvas.channels_last else torch.contiguous_format
                ),
            )
            render(self._arena, used, programs, size, self._steps, output, images, shape)
            self._mark = self._lane.mark()
        self._images = images

    def wait(self, seconds: float | None) -> bool:
        if not wait([self._begun], seconds).done:
            return False
        self._begun.result()
        return True

    def failures(self) -> dict[int, str]:
        rows = np.flatnonzero(self._items["status"])
        return {int(row): self._items["message"][row].decode("utf-8", "replace") for row in rows}

    def hand_over(self) -> None:
        """Let the consumer's stream wait for the images."""
        assert self._images is not None
        assert self._mark is not None
        self._lane.let_consumer_wait(self._mark, self._images)
        self._work.canvas.adopt(self._work.rows, self._images)
        self._images = None

    def facts(self) -> JobFacts:
        return self._pool_job.facts()

    def close(self) -> None:
        """Cancel what has not begun; a second time does nothing.

        Kernels that are just being begun are not waited for: garbage collection may close a job in
        the thread that begins another one's, which the first one's waits for.
        """
        if not self._closed:
            self._closed = True
            self._begun.cancel()
            self._begun.add_done_callback(self._let_go)

    def _let_go(self, _: Future[None]) -> None:
        self._pool_job.close()
        self._arenas.give_back(self._arena, self._mark)
        self._images = None


class _CopiedJob:
    """Images that are made in main memory and copied."""

    def __init__(self, engine: NativeEngine, work: Work, slots: Slots) -> None:
        self._work = work
        canvas = work.canvas
        self._made = Canvas(
            canvas.output,
            work.plan.heights,
            work.plan.widths,
            slots,
            device=torch.device("cpu"),
            pinned=canvas.device.type == "cuda",
            channels_last=canvas.channels_last,
        )
        there = Work(
            pack=work.pack,
            records=work.records,
            pipeline=work.pipeline,
            plan=work.plan,
            canvas=self._made,
            rows=np.arange(len(work.records)),
            checked=work.checked,
            cache=work.cache,
            keys=work.keys,
            next_uses=work.next_uses,
        )
        self._job = engine.submit(there)

    def wait(self, seconds: float | None) -> bool:
        return self._job.wait(seconds)

    def failures(self) -> dict[int, str]:
        return self._job.failures()

    def hand_over(self) -> None:
        """Copy on the consumer's stream: torch keeps the page-locked memory for so long."""
        canvas, batch = self._work.canvas, self._made.batch
        if batch is not None:
            canvas.adopt(self._work.rows, batch.to(canvas.device, non_blocking=True))
            return
        for row, image in zip(self._work.rows, self._made.images, strict=True):
            canvas.image(int(row)).copy_(image, non_blocking=True)

    def facts(self) -> JobFacts:
        return self._job.facts()

    def close(self) -> None:
        self._job.close()


class CudaEngine:
    """Decodes and augments on the device; the pool's threads only gather bytes for it.

    Blocks that are packed (``dct`` records, and JPEGs that the cache keeps) are unpacked there. Of
    other records the pool decodes the pixels of the crop. What the kernels do not know (a padding,
    a second resize) the pool does before. Files that only Pillow reads, and batches of several
    sizes, are made in main memory and copied.

    Args:
        threads: of the pool, at least 1.
        decode: "exact" and "fast" are the same here: the kernels are exact.
        device: where the images are made.
        ahead: how many jobs may be open at once.
    """

    name = "native"

    def __init__(self, threads: int, decode: str, device: torch.device, ahead: int) -> None:
        self._lane: Lane | None = None
        self._pool = Pool(threads)
        self._copying = NativeEngine(threads, decode, torch.device("cpu"), ahead)
        self._slots = Slots(ahead)
        self._arenas = Arenas(pinned=device.type == "cuda")
        # Begins kernels in the order of the jobs, also while the consumer is busy.
        self._launcher = ThreadPoolExecutor(1, "fastload-gpu")
        if find_spec("triton") is None:
            warnings.warn(_NO_TRITON, stacklevel=2)
            return
        self._lane = lane_of(device)

    @staticmethod
    def remarks(pipeline: Pipeline) -> tuple[str, ...]:
        """What the GPU does not do."""
        if find_spec("triton") is None:
            return (f"  {_NO_TRITON}",)
        if pipeline.known_size() is None:
            return ("  images of several sizes: made on the CPU and copied to the GPU",)
        from fastload.engines.cuda.reach import explain_reach

        return explain_reach(pipeline)

    def submit(self, work: Work) -> Job:
        """Begin some work and return at once."""
        size = work.plan.size
        if self._lane is None or size is None:
            return _CopiedJob(self._copying, work, self._slots)
        files = work.pack.index.codec[work.records] == Codec.FILE
        able = np.ones(len(files), np.bool_)
        able[list(work.plan.failures)] = False
        gathered, copied = np.flatnonzero(able & ~files), np.flatnonzero(able & files)
        jobs: list[tuple[Rows, Job]] = []
        if len(gathered):
            whole = len(gathered) == len(files)
            jobs.append((gathered, self._gather(work if whole else work.take(gathered))))
        if len(copied):
            jobs.append((copied, _CopiedJob(self._copying, work.take(copied), self._slots)))
        return jobs[0][1] if len(jobs) == 1 and len(gathered) == len(files) else SplitJob(jobs)

    def _gather(self, work: Work) -> _GatheredJob:
        assert self._lane is not None
        return _GatheredJob(self._pool, self._arenas, self._lane, self._launcher, work)

    def close(self) -> None:
        """Stop all threads. No job may be open."""
        self._launcher.shutdown(cancel_futures=True)
        self._pool.close()
        self._copying.close()
        self._arenas.clear()
        self._slots.clear()
