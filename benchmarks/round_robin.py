"""Measuring several jobs at once and one at a time: windows in turn, round by round."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import disk, page_cache
from benchmarks.environments import NotInstalledError
from benchmarks.job import Job
from benchmarks.measurement import Measurement
from benchmarks.page_cache import StillCachedError
from benchmarks.process import Worker, WorkerError
from benchmarks.suites import Suite
from fastload.measure import processor_time
from fastload.measure.memory import Memory, Watch


class Runner:
    """One job's turns; the first error ends them and is kept in the measurement."""

    def __init__(self, suite: Suite, job: Job, quick: bool) -> None:
        self.measurement = Measurement(suite.name, job, cache_state=suite.cache_state)
        self._suite = suite
        self._quick = quick
        self._worker: Worker | None = None

    @property
    def _running(self) -> Worker:
        assert self._worker is not None
        return self._worker

    def attempt(self, step: Callable[[Runner], None]) -> None:
        """Take a step, unless one has failed before."""
        if self.measurement.error:
            return
        try:
            step(self)
        except (WorkerError, NotInstalledError, StillCachedError) as error:
            self.measurement.error = str(error)
            self.close()

    def start(self) -> None:
        """Start the process, which begins to import."""
        self._worker = Worker(self.measurement.job)

    def await_import(self) -> None:
        """Wait until it has imported all."""
        self._running.await_import()
        self.measurement.version = self._running.imported["version"]

    def warm_up(self) -> None:
        """The first window fills caches, shows first batch and memory."""
        self._running.construct()
        window = self._windows(least_seconds=0, watched=True)[0]
        if self._suite.fresh:
            self.close()
        else:
            self.measurement.first_batch.append(self._until_first_batch(window))

    def turn(self) -> None:
        """The windows of one round."""
        if self._suite.fresh:
            self._fresh_window()
            return
        before = processor_time.of_tree(self._running.pid)
        least = 0 if self._quick else self._suite.seconds
        windows = self._windows(least, self._suite.watched)
        spent = processor_time.of_tree(self._running.pid) - before
        images, seconds = (sum(window[key] for window in windows) for key in ("images", "seconds"))
        self._record(images, seconds, seconds if self._suite.own_seconds else spent)

    def _fresh_window(self) -> None:
        """The window of a new process, which ends with it: what it maps could not be dropped."""
        if self._suite.cold:
            page_cache.drop(Path(self.measurement.job.reads))
        self.start()
        self.await_import()
        self._running.construct()
        before = processor_time.of_tree(self._running.pid)
        [window] = self._windows(least_seconds=0, watched=self._suite.watched or self._quick)
        after = processor_time.of_tree(self._running.pid)
        first = self._until_first_batch(window)
        self.measurement.first_batch.append(first)
        if self._suite.batches == 1:
            self._record(window["images"], first, after - self._running.ready["cpu_before"])
        else:
            self._record(window["images"], window["seconds"], after - before)
        self.close()

    def _windows(self, least_seconds: float, watched: bool) -> list[dict[str, Any]]:
        """One window, and more until they have taken so many seconds."""
        windows: list[dict[str, Any]] = []
        with ExitStack() as stack:
            watch = stack.enter_context(Watch(self._running.pid)) if watched else None
            while not windows or sum(one["seconds"] for one in windows) < least_seconds:
                windows.append(self._running.run(self._suite.batches))
                if not windows[-1]["images"]:
                    raise WorkerError("the window gave no image")
        if watch is not None:
            peak = watch.peak.beyond(Memory(**self._running.imported["base"]))
            self.measurement.peak = self.measurement.peak.highest(peak)
            self.measurement.peaks.append(peak)
        return windows

    def _until_first_batch(self, window: dict[str, Any]) -> float:
        seconds: float = self._running.ready["construction"] + window["first_batch"]
        return seconds

    def _record(self, images: int, seconds: float, cpu_seconds: float) -> None:
        self.measurement.images.append(images)
        self.measurement.seconds.append(seconds)
        self.measurement.cpu_seconds.append(cpu_seconds)

    def close(self) -> None:
        """End the process if there is one."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def measure(
    suite: Suite, jobs: Iterable[Job], rounds: int, quick: bool = False
) -> list[Measurement]:
    """Measure a suite's jobs, interleaved; one that fails is out from there on, with its error.

    Args:
        suite: theirs.
        jobs: with their paths.
        rounds: turns of each, in another order each round, so that nobody always follows the same.
        quick: one window a turn however short, and no warm-up where each window has a new process.
    """
    runners = [Runner(suite, job, quick) for job in jobs]
    with ExitStack() as stack:
        for runner in runners:
            stack.callback(runner.close)
        if not (quick and suite.fresh):
            # All import at the same time, and nobody does so when the first one is measured.
            for step in (Runner.start, Runner.await_import, Runner.warm_up):
                for runner in runners:
                    runner.attempt(step)
        for number in range(rounds):
            for runner in Random(number).sample(runners, len(runners)):
                runner.attempt(Runner.turn)
    measurements = [runner.measurement for runner in runners]
    for measurement in measurements:
        measurement.bytes = disk.size(Path(measurement.job.reads))
    return measurements
