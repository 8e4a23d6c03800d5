"""One graph at work: a thread that feeds it, and one that takes what comes out."""

from __future__ import annotations

import logging
import threading
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from nvidia.dali import Pipeline as DaliPipeline
from torch.utils.dlpack import from_dlpack

from fastload.augment import Container
from fastload.engines.dali.feeding import Feed, feed_of, first_feed
from fastload.engines.dali.graph import Recipe, build
from fastload.engines.pool import Pool
from fastload.engines.protocol import Work
from fastload.errors import EngineError
from fastload.native.cuts import Arena

__all__ = ["Batch", "Runner"]

_LOGGER = logging.getLogger("fastload")

Rows = npt.NDArray[np.int64]


class Batch:
    """Rows of some work on their way through a graph.

    Attributes:
        rows: of the work: those that DALI is to compute.
        done: set when it has, or has failed.
        refused: rows that another engine has to compute; known when it is done.
        error: what ended it, where that was no image's fault.
    """

    def __init__(self, work: Work, rows: Rows) -> None:
        self.work: Work | None = work
        self.rows = rows
        self.done = threading.Event()
        self.refused = np.empty(0, np.int64)
        self.error: BaseException | None = None
        self.closed = False
        self._made = rows
        self._images: Any = None

    def finish(self, feed: Feed | None, images: Any) -> None:
        """Keep what DALI has made of a feed; None: it has failed, on the whole batch."""
        made = self.rows[:0] if feed is None or images is None else feed.rows
        self.refused = np.setdiff1d(self.rows, made)
        if not self.closed:
            self._made, self._images = made, images
        self.done.set()

    def hand_over(self, work: Work) -> None:
        """Put the images into the canvas, without a copy where they are all of it."""
        images, self._images = self._images, None
        if images is None or not len(self._made):
            return
        with torch.inference_mode(False):
            _adopt(work, work.rows[self._made], images)

    def close(self) -> None:
        """Let go of everything; what is under way is dropped when it comes."""
        self.closed = True
        self.work = self._images = None


def _adopt(work: Work, rows: Rows, images: Any) -> None:
    canvas = work.canvas
    planes = canvas.channels_last and canvas.output.container is not Container.PIL
    sizes = np.stack([canvas.heights[rows], canvas.widths[rows]])
    if (sizes == sizes[:, :1]).all():
        groups = [(rows, from_dlpack(images.as_tensor()))]
    else:
        groups = [
            (rows[place : place + 1], from_dlpack(images[place])[None])
            for place in range(len(rows))
        ]
    for some, batch in groups:
        batch = batch.permute(0, 3, 1, 2) if planes else batch
        canvas.adopt(some, batch.to(canvas.output.dtype))


class Runner:
    """Runs batches through a graph, in order, until it is closed.

    Args:
        recipe: of the graph.
        device: where it computes.
        threads: of the CPU.
        most: images a batch, at most.
        in_flight: batches in the graph at once.

    Attributes:
        recipe: of the batches to come; of the same graph, perhaps with other sizes.
    """

    def __init__(
        self, recipe: Recipe, device: torch.device, threads: int, most: int, in_flight: int
    ) -> None:
        self.recipe = recipe
        self.most = most
        inbox: SimpleQueue[tuple[Batch, Recipe] | None] = SimpleQueue()
        self._inbox = inbox
        flow = _Flow(inbox, device, threads, most, in_flight)
        self._thread = threading.Thread(
            target=flow.feed_all, name="fastload-dali-feed", daemon=True
        )
        self._thread.start()

    def submit(self, batch: Batch) -> None:
        """Begin a batch and return at once."""
        self._inbox.put((batch, self.recipe))

    def close(self) -> None:
        """End the threads when all batches are through."""
        self._inbox.put(None)
        # Garbage collection may close it in one of its own threads.
        if threading.current_thread().name.startswith("fastload-dali"):
            return
        self._thread.join()


class _Flow:
    """What the two threads share."""

    def __init__(
        self,
        inbox: SimpleQueue[tuple[Batch, Recipe] | None],
        device: torch.device,
        threads: int,
        most: int,
        in_flight: int,
    ) -> None:
        self._inbox = inbox
        self._device = device
        self._threads = threads
        self._most = most
        self._in_flight = in_flight
        self._room = threading.Semaphore(in_flight)
        self._scheduled: SimpleQueue[tuple[Batch, Feed] | None] = SimpleQueue()
        # One is being filled while the others are read.
        self._arenas: SimpleQueue[Arena] = SimpleQueue()
        for _ in range(in_flight + 1):
            self._arenas.put(Arena())
        self._graph: DaliPipeline | None = None
        self._broken: BaseException | None = None
        self._warned = False

    def feed_all(self) -> None:
        """Feed the graph until told to end."""
        taker = threading.Thread(target=self._take_all, name="fastload-dali-take", daemon=True)
        taker.start()
        pool = Pool(self._threads)
        while (item := self._inbox.get()) is not None:
            batch, recipe = item
            work = batch.work
            if batch.closed or work is None:
                batch.done.set()
                continue
            try:
                self._feed(batch, work, recipe, pool)
            except BaseException as error:  # noqa: BLE001 (raised where the batch is waited for)
                batch.error = error
                batch.done.set()
            del item, batch, work
        self._scheduled.put(None)
        taker.join()
        pool.close()

    def _feed(self, batch: Batch, work: Work, recipe: Recipe, pool: Pool) -> None:
        if self._broken is not None:
            raise self._broken
        arena = self._arenas.get()
        try:
            feed = feed_of(work, batch.rows, recipe, pool, arena)
            if not len(feed.rows):
                batch.finish(None, None)
                self._arenas.put(arena)
                return
            if self._graph is None:
                self._graph = self._started(recipe, feed)
        except BaseException:
            self._arenas.put(arena)
            raise
        self._room.acquire()
        try:
            _give(self._graph, feed)
            self._graph.schedule_run()
        except BaseException as error:
            # Some inputs are a batch ahead of the others now: nothing right can come any more.
            self._broken = error
            raise
        self._scheduled.put((batch, feed))

    def _started(self, recipe: Recipe, feed: Feed) -> DaliPipeline:
        """The graph, after as many runs as it begins with: the first call schedules them all."""
        try:
            graph = build(recipe, self._device, self._threads, self._most, self._in_flight)
        except Exception as error:
            raise EngineError(
                f"DALI cannot build the graph of this transform: {error} Take engine='native', "
                "and please report it."
            ) from error
        first = first_feed(recipe, feed)
        for _ in range(self._in_flight):
            _give(graph, first)
        graph.schedule_run()
        for _ in range(self._in_flight):
            self._taken(graph)
        return graph

    def _taken(self, graph: DaliPipeline) -> Any:
        """The next batch that comes out; None where DALI has failed on it."""
        try:
            (images,) = graph.share_outputs()
        except RuntimeError as error:
            self._warn(error)
            return None
        graph.release_outputs()
        return images

    def _warn(self, error: RuntimeError) -> None:
        if not self._warned:
            self._warned = True
            _LOGGER.warning(
                "DALI has failed on a batch, which the native engine computes again; of further "
                "ones nothing is said. %s",
                error,
            )

    def _take_all(self) -> None:
        while (item := self._scheduled.get()) is not None:
            batch, feed = item
            assert self._graph is not None
            try:
                batch.finish(feed, self._taken(self._graph))
            except BaseException as error:  # noqa: BLE001 (raised where the batch is waited for)
                batch.error = error
                batch.done.set()
            self._arenas.put(feed.arena)
            self._room.release()
            del item, batch, feed


def _give(graph: DaliPipeline, feed: Feed) -> None:
    for name, values in feed.inputs.items():
        graph.feed_input(name, values)
