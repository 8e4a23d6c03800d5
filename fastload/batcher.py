"""From indices to batches: plans are drawn, engines are given work, results are put together."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from fastload.augment import Container, Draws, Output, Pipeline, Plan
from fastload.augment.draws import below
from fastload.augment.suffix import run_transforms, seeded_rows
from fastload.engines import Engine, Job, JobFacts, Work, engine_class
from fastload.engines.canvas import Canvas
from fastload.engines.slots import Slots
from fastload.errors import FastloadError, LoaderTimeoutError, RecordError, TransformError

if TYPE_CHECKING:
    from fastload.caching import PassUses
    from fastload.dataset import ImageFolder
    from fastload.view import Located, View

__all__ = ["ON_ERROR", "Batcher", "Flight"]

ON_ERROR = ("raise", "skip", "substitute")
"""What to do with a bad record: raise, leave it out, or take another one of its class."""

_SUBSTITUTE_STREAM = 0xFFFE
_SUBSTITUTE_TRIES = 10

Rows = npt.NDArray[np.int64]

_MAIN_MEMORY = torch.device("cpu")


@dataclass(frozen=True)
class _Share:
    """The images of a batch that come from one dataset."""

    dataset: ImageFolder
    pipeline: Pipeline
    rows: Rows
    records: Rows
    plan: Plan


class Batcher:
    """Holds what batches need for longer than one batch: the engine's threads and the memory.

    The engine is started when the first batch is launched, again in each process that uses it.

    Args:
        engine: name of the engine.
        threads: how many compute.
        decode: "exact" or "fast".
        device: where the engine makes the images, of those it can make them on. What is still to
            be worked on per sample is made in main memory.
        ahead: how many batches are under way at once.
        pinned: whether batches in main memory are page-locked.
        channels_last: whether the channels of a pixel lie beside each other.
    """

    def __init__(
        self,
        engine: str,
        threads: int,
        decode: str,
        device: torch.device,
        ahead: int,
        *,
        pinned: bool = False,
        channels_last: bool = False,
    ) -> None:
        self.threads = threads
        self._name = engine
        self._decode = decode
        self._device = device
        self._ahead = ahead
        self._pinned = pinned
        self._channels_last = channels_last
        # One batch is being launched, one is with the user.
        self._slots = Slots(ahead + 2)
        self._engines: dict[torch.device, Engine] = {}
        self._process = 0

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_engines": {}, "_process": 0}

    def engine(self, device: torch.device) -> Engine:
        """The engine of the running process that makes images on a device."""
        if self._process != os.getpid():
            self._engines = {}
            self._process = os.getpid()
        if device not in self._engines:
            kind = engine_class(self._name, device)
            self._engines[device] = kind(self.threads, self._decode, device, self._ahead + 1)
        return self._engines[device]

    def making_device(self, pipelines: Sequence[Pipeline]) -> torch.device:
        """Where images are made that some pipelines ask for."""
        finished = all(
            not pipeline.suffix and pipeline.output.container is not Container.PIL
            for pipeline in pipelines
        )
        return self._device if finished else _MAIN_MEMORY

    def remarks(self, pipeline: Pipeline) -> tuple[str, ...]:
        """What a user should know of how the engine runs a pipeline, a line each."""
        kind = engine_class(self._name, self.making_device([pipeline]))
        return kind.remarks(pipeline)

    def launch(
        self,
        view: View,
        pipelines: Sequence[Pipeline],
        indices: Rows,
        draws: Draws,
        uses: PassUses | None = None,
    ) -> Flight:
        """Begin a batch.

        Args:
            view: what the indices number.
            pipelines: one for each of the view's parts.
            indices: int64, shape (n,), samples of the view.
            draws: the random words of the samples' positions.
            uses: when samples are wanted again, where a cache keeps them.
        """
        located = view.locate(indices)
        shares = _shares(view, pipelines, located, draws)
        device = self.making_device([share.pipeline for share in shares])
        canvases = self._canvases(shares, len(indices), device)
        engine = self.engine(device)
        next_uses = None if uses is None else uses.of(indices, draws.positions)
        jobs: list[Job] = []
        try:
            for share, canvas in zip(shares, canvases, strict=True):
                rows = share.rows if len(canvas) == len(indices) else np.arange(len(share.rows))
                jobs.append(engine.submit(_work(share, canvas, rows, uses, next_uses)))
        except BaseException:
            for job in jobs:
                job.close()
            raise
        if uses is not None:
            uses.cache.clock += len(indices)
        return Flight(self, view, pipelines, indices, located, draws, shares, canvases, jobs)

    def _canvases(self, shares: list[_Share], count: int, device: torch.device) -> list[Canvas]:
        """A canvas for each share: one and the same where all give the same kind of image."""
        kinds = {_kind(share.pipeline) for share in shares}
        if len(kinds) > 1:
            return [
                self._canvas(share.pipeline.output, share.plan.heights, share.plan.widths, device)
                for share in shares
            ]
        heights, widths = np.empty(count, np.int64), np.empty(count, np.int64)
        for share in shares:
            heights[share.rows] = share.plan.heights
            widths[share.rows] = share.plan.widths
        return [self._canvas(shares[0].pipeline.output, heights, widths, device)] * len(shares)

    def _canvas(self, output: Output, heights: Rows, widths: Rows, device: torch.device) -> Canvas:
        return Canvas(
            output,
            heights,
            widths,
            self._slots,
            device=device,
            pinned=self._pinned and device == _MAIN_MEMORY,
            channels_last=self._channels_last,
        )

    def close(self) -> None:
        """Stop the threads and let go of the memory. No flight may be open."""
        engines, self._engines = self._engines, {}
        if self._process == os.getpid():
            for engine in engines.values():
                engine.close()
        self._slots.clear()


def _work(
    share: _Share,
    canvas: Canvas,
    rows: Rows,
    uses: PassUses | None,
    next_uses: npt.NDArray[np.uint64] | None,
) -> Work:
    pack, records = share.dataset.pack, share.records
    if uses is None or next_uses is None:
        cache, keys, times = None, np.zeros(len(records), np.uint64), np.zeros(1, np.uint64)
    else:
        cache = uses.cache
        keys, times = cache.keys(pack, records), next_uses[share.rows]
    return Work(
        pack=pack,
        records=records,
        pipeline=share.pipeline,
        plan=share.plan,
        canvas=canvas,
        rows=rows,
        checked=share.dataset.checked,
        cache=cache,
        keys=keys,
        next_uses=np.broadcast_to(times, keys.shape),
    )


def _kind(pipeline: Pipeline) -> tuple[Container, int, torch.dtype]:
    output = pipeline.output
    return output.container, output.channels, output.dtype


def _shares(
    view: View, pipelines: Sequence[Pipeline], located: Located, draws: Draws
) -> list[_Share]:
    if len(view.parts) == 1:
        rows = np.arange(len(located.records))
        return [_share(view.parts[0], pipelines[0], rows, located.records, draws)]
    shares = []
    for part in np.unique(located.parts):
        rows = np.flatnonzero(located.parts == part)
        own = Draws(draws.seed, draws.epoch, draws.positions[rows])
        records = located.records[rows]
        shares.append(_share(view.parts[part], pipelines[part], rows, records, own))
    return shares


def _share(
    dataset: ImageFolder, pipeline: Pipeline, rows: Rows, records: Rows, draws: Draws
) -> _Share:
    index = dataset.pack.index
    plan = pipeline.plan(draws, index.height[records], index.width[records])
    return _Share(dataset, pipeline, rows, records, plan)


class Flight:
    """One batch under way, and what it brings when it has landed.

    Attributes:
        facts: what the engine's threads have done for it, once it has landed.
    """

    def __init__(
        self,
        batcher: Batcher,
        view: View,
        pipelines: Sequence[Pipeline],
        indices: Rows,
        located: Located,
        draws: Draws,
        shares: list[_Share],
        canvases: list[Canvas],
        jobs: list[Job],
    ) -> None:
        self._batcher = batcher
        self._view = view
        self._pipelines = pipelines
        self._indices = indices
        self._located = located
        self._draws = draws
        self._shares = shares
        self._canvases = canvases
        self._jobs = jobs
        self._kept: Rows | None = None
        self.facts = JobFacts()

    def __len__(self) -> int:
        return len(self._indices) if self._kept is None else len(self._kept)

    def close(self) -> None:
        """Cancel what has not begun; a second time does nothing."""
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job.close()

    def __del__(self) -> None:
        self.close()

    def land(self, timeout: float) -> dict[int, FastloadError]:
        """Wait until it is done.

        Args:
            timeout: seconds; 0 waits for ever.

        Returns:
            rows that failed, with the error that says why.

        Raises:
            LoaderTimeoutError: it took longer.
        """
        deadline = time.monotonic() + timeout if timeout else None
        failures: dict[int, FastloadError] = {}
        try:
            for share, job in zip(self._shares, self._jobs, strict=True):
                left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
                if not job.wait(left):
                    raise LoaderTimeoutError(
                        f"No batch within {timeout} seconds: raise the loader's timeout, or look "
                        "for what keeps its threads or the disk busy."
                    )
                job.hand_over()
                failures |= _named_failures(share, job)
                self.facts += job.facts()
        finally:
            self.close()
        return failures

    def drop(self, rows: dict[int, FastloadError]) -> None:
        """Leave rows out of the batch."""
        self._kept = np.array([row for row in range(len(self._indices)) if row not in rows])

    def substitute(self, row: int, error: FastloadError) -> None:
        """Put another sample of the same class in a row, chosen by the row's random words.

        Raises:
            FastloadError: ``error``, where no readable one is found.
        """
        located = self._view.locate(np.arange(len(self._view)))
        same = (located.labels == self._located.labels[row]) & (
            located.parts == self._located.parts[row]
        )
        peers = np.flatnonzero(same & (located.records != self._located.records[row]))
        rows = np.array([row])
        draws = Draws(self._draws.seed, self._draws.epoch, self._draws.positions[rows])
        words = draws.words(_SUBSTITUTE_STREAM, _SUBSTITUTE_TRIES)[0, :, 0]
        for choice in below(words, len(peers)) if len(peers) else ():
            index = peers[choice : choice + 1]
            flight = self._batcher.launch(self._view, self._pipelines, index, draws)
            if not flight.land(0.0):
                self._replace(row, flight)
                return
        raise error

    def _replace(self, row: int, other: Flight) -> None:
        canvas, place = self._place(row)
        image = other._canvases[0].image(0)
        if canvas.image(place).shape == image.shape:
            canvas.image(place).copy_(image)
        else:
            canvas.replace(place, image)

    def _place(self, row: int) -> tuple[Canvas, int]:
        for share, canvas in zip(self._shares, self._canvases, strict=True):
            if len(canvas) == len(self._indices):
                return canvas, row
            found = np.flatnonzero(share.rows == row)
            if len(found):
                return canvas, int(found[0])
        raise IndexError(row)

    def labels(self) -> Rows:
        """Classes of the rows, int64."""
        labels = self._located.labels
        return labels if self._kept is None else labels[self._kept]

    def batch(self) -> tuple[torch.Tensor, torch.Tensor] | None:
        """(images, labels) where the engine has made them just as the default collate would."""
        canvas = self._canvases[0]
        images = canvas.batch
        plain = all(
            not share.pipeline.suffix
            and share.dataset.target_transform is None
            and share.pipeline.output.container is not Container.PIL
            for share in self._shares
        )
        if not plain or images is None or len(canvas) != len(self._indices):
            return None
        if self._kept is not None:
            images = images[torch.from_numpy(self._kept)]
        with torch.inference_mode(False):
            return images, torch.from_numpy(self.labels())

    def samples(self) -> list[tuple[Any, Any]]:
        """(sample, target) of each row, as indexing the dataset gives them."""
        made: dict[int, tuple[Any, Any]] = {}
        if any(share.pipeline.suffix for share in self._shares):
            with seeded_rows(self._draws) as seed_row:
                for row in self._rows():
                    seed_row(row)
                    made[row] = self._sample(row)
        else:
            made = {row: self._sample(row) for row in self._rows()}
        return list(made.values())

    def _rows(self) -> list[int]:
        return list(range(len(self._indices))) if self._kept is None else self._kept.tolist()

    def _sample(self, row: int) -> tuple[Any, Any]:
        part = int(self._located.parts[row])
        pipeline, dataset = self._pipelines[part], self._view.parts[part]
        canvas, place = self._place(row)
        sample = _contained(canvas.image(place), pipeline.output.container)
        target: Any = int(self._located.labels[row])
        sample = run_transforms(pipeline.suffix, sample)
        if dataset.target_transform is not None:
            target = dataset.target_transform(target)
        return sample, target


def _contained(image: torch.Tensor, container: Container) -> Any:
    if container is Container.TENSOR:
        return image
    if container is Container.IMAGE:
        from torchvision import tv_tensors

        return tv_tensors.Image(image)
    from PIL import Image

    pixels = image.numpy()
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])


def _named_failures(share: _Share, job: Job) -> dict[int, FastloadError]:
    found: dict[int, FastloadError] = {}
    pack = share.dataset.pack
    for row, reason in job.failures().items():
        record = int(share.records[row])
        found[int(share.rows[row])] = RecordError(
            record, pack.index.path(record), pack.shard_name(record), reason
        )
    for row, reason in share.plan.failures.items():
        record = int(share.records[row])
        found[int(share.rows[row])] = TransformError(
            f"record {record} ({pack.index.path(record)}): {reason}"
        )
    return found
