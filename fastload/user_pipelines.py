"""Batches that FFCV pipelines of the user's make (``pipelines=``), in place of a transform."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import default_collate

from fastload.augment import Draws, Pipeline
from fastload.batcher import Batcher, Flight, Rows, substitutes
from fastload.errors import EngineError, FastloadError, LoaderTimeoutError, RecordError

if TYPE_CHECKING:
    from fastload.caching import PassUses
    from fastload.engines.ffcv import Outcome, PipelineRunner
    from fastload.view import View

__all__ = ["PipelineBatcher", "PipelineFlight", "check_pipelines"]

Pipelines = Mapping[str, Any]


def check_pipelines(
    pipelines: object, engine: str, view: View | None, batch_size: object, collate_fn: object
) -> None:
    """Refuse ``pipelines=`` beside arguments that they have no part in.

    Raises:
        EngineError: the engine is another one.
        TypeError: they are no mapping.
        ValueError: another argument contradicts them.
    """
    if pipelines is None:
        return
    if engine != "ffcv":
        raise EngineError(f"pipelines= are FFCV's: give engine='ffcv' with them, not {engine!r}.")
    if not isinstance(pipelines, Mapping):
        raise TypeError(f"pipelines= takes a mapping of names to operations, not {pipelines!r}.")
    if view is None:
        raise ValueError("pipelines= need a dataset made of packs.")
    if any(part.target_transform is not None for part in view.parts):
        raise ValueError(
            "pipelines= take the place of the dataset's transforms: leave target_transform out, or "
            "put an operation into the pipeline of 'label'."
        )
    if batch_size is None or collate_fn not in (None, default_collate):
        raise ValueError("pipelines= make whole batches: leave collate_fn and batch_size=None out.")


class PipelineBatcher(Batcher):
    """Launches batches of the user's pipelines.

    Args:
        pipelines: as FFCV's Loader takes them.
        threads: how many batches are computed at once.
        ahead: how many batches are under way at once.
    """

    def __init__(self, pipelines: Pipelines, threads: int, ahead: int) -> None:
        super().__init__("ffcv", threads, "exact", torch.device("cpu"), ahead)
        self._pipelines = pipelines
        self._runner: PipelineRunner | None = None

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_runner": None}

    def runner(self, view: View) -> PipelineRunner:
        """What runs the pipelines in this process."""
        if self._process != os.getpid():
            self._runner, self._process = None, os.getpid()
        if self._runner is None:
            from fastload.engines.ffcv import PipelineRunner, SampleTable

            located = view.locate(np.arange(len(view)))
            table = SampleTable(
                [part.pack for part in view.parts],
                [part.checked for part in view.parts],
                located.parts,
                located.records,
                located.labels,
            )
            self._runner = PipelineRunner(self._pipelines, table, self.threads, self._ahead + 2)
        return self._runner

    def remarks(self, pipeline: Pipeline) -> tuple[str, ...]:
        """Who computes."""
        del pipeline
        return (
            "  FFCV runs the pipelines given for "
            + ", ".join(map(repr, self._pipelines))
            + "; the transform above does not run",
        )

    def launch(
        self,
        view: View,
        pipelines: Sequence[Pipeline],
        indices: Rows,
        draws: Draws,
        uses: PassUses | None = None,
    ) -> Flight:
        """Begin a batch; ``pipelines`` are the dataset's and do not run."""
        del pipelines, uses
        return PipelineFlight(self, self.runner(view), view, indices, draws)

    def close(self) -> None:
        """Stop the threads."""
        runner, self._runner = self._runner, None
        if runner is not None and self._process == os.getpid():
            runner.close()
        super().close()


class PipelineFlight(Flight):
    """One batch of the user's pipelines under way. FFCV tells no facts of it."""

    def __init__(
        self, batcher: Batcher, runner: PipelineRunner, view: View, indices: Rows, draws: Draws
    ) -> None:
        super().__init__(batcher, view, (), indices, view.locate(indices), draws, [], [], [])
        self._runner = runner
        self._future = self._submit()

    def _submit(self) -> Future[Outcome]:
        draws = self._draws
        first = int(draws.positions[0]) if len(draws.positions) else 0
        words = np.random.SeedSequence([draws.seed, draws.epoch, first]).generate_state(1)
        return self._runner.submit(self._indices, int(words[0]))

    def land(self, timeout: float) -> dict[int, FastloadError]:
        """Wait until it is done; rows that failed, with the error that says why.

        Raises:
            LoaderTimeoutError: it took longer than ``timeout`` seconds (0: no limit).
        """
        try:
            failures = self._future.result(timeout or None).failures
        except FutureTimeoutError:
            raise LoaderTimeoutError(
                f"No batch within {timeout} seconds: raise the loader's timeout, or look for what "
                "keeps its threads or the disk busy (the first batch compiles the pipelines)."
            ) from None
        located = self._view.locate(self._indices)
        errors: dict[int, FastloadError] = {}
        for row, reason in failures.items():
            pack, record = self._view.parts[located.parts[row]].pack, int(located.records[row])
            name = pack.shard_name(record)
            errors[row] = RecordError(record, pack.index.path(record), name, reason)
        return errors

    def drop(self, rows: dict[int, FastloadError]) -> None:
        """Leave rows out of the batch."""
        kept = np.array([row for row in range(len(self)) if row not in rows], np.int64)
        self._indices = self._indices[kept]
        self._future = self._submit()

    def substitute(self, row: int, error: FastloadError) -> None:
        """Put another sample of the same class in a row.

        Raises:
            FastloadError: ``error``, where no readable one is found.
        """
        for index in substitutes(self._view, self._draws, self._indices, row):
            alone = PipelineFlight(self._batcher, self._runner, self._view, index, self._draws)
            if not alone.land(0.0):
                self._indices = self._indices.copy()
                self._indices[row] = index[0]
                self._future = self._submit()
                return
        raise error

    def outputs(self) -> tuple[Any, ...]:
        """What FFCV's Loader would yield."""
        outputs = self._future.result().outputs
        assert outputs is not None
        return outputs

    def close(self) -> None:
        """Cancel it if it has not begun."""
        super().close()
        self._future.cancel()
