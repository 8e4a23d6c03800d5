"""Measuring several jobs at once and one at a time: windows in turn, round by round."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import disk
from benchmarks.environments import NotInstalledError
from benchmarks.job import Job
from benchmarks.process import Worker, WorkerError
from benchmarks.suites import Suite
from fastload.measure.memory import Memory, Watch


@dataclass
class Measurement:
    """What one job took; a list holds one figure a round.

    Attributes:
        seconds: time of each window.
        images: images of each window.
        first_batch: seconds from before the loader's construction to its first batch; no imports.
        peak: highest memory of the process tree beyond the process with torch imported.
        peaks: the same of each window that was watched, the warm-up first.
        bytes: of the peer's form of the photos on disk.
        error: why there is nothing, or nothing more, to see.

    """

    suite: str
    job: Job
    seconds: list[float] = field(default_factory=list)
    images: list[int] = field(default_factory=list)
    first_batch: list[float] = field(default_factory=list)
    peak: Memory = field(default_factory=Memory)
    peaks: list[Memory] = field(default_factory=list)
    bytes: int = 0
    version: str = ""
    error: str = ""

    @property
    def rates(self) -> list[float]:
        """Images a second, one figure a round."""
        return [images / seconds for images, seconds in zip(self.images, self.seconds, strict=True)]

    @property
    def microseconds(self) -> list[float]:
        """Time of one image, one figure a round."""
        return [1e6 / rate for rate in self.rates]

    @property
    def anonymous_megabytes(self) -> list[float]:
        """Highest memory without a file behind it, beyond torch's import."""
        return [self.peak.anonymous / 1e6]

    @property
    def pss_megabytes(self) -> list[float]:
        """Highest proportional memory, mapped file pages included, beyond torch's import."""
        return [self.peak.pss / 1e6]

    @property
    def growth_megabytes(self) -> list[float]:
        """What the last window took at most beyond the first, anonymous: what is never let go."""
        return [(self.peaks[-1].anonymous - self.peaks[0].anonymous) / 1e6]

    def extra_info(self) -> dict[str, Any]:
        """The figures for pytest-benchmark's JSON."""
        return {
            "images_per_second": median(self.rates),
            "images_per_second_by_round": self.rates,
            "first_batch_seconds": median(self.first_batch),
            "peak_anonymous_bytes": self.peak.anonymous,
            "peak_pss_bytes": self.peak.pss,
            "bytes_on_disk": self.bytes,
            "version": self.version,
            "job": self.job.as_dict(),
        }


class Runner:
    """One job's turns; the first error ends them and is kept in the measurement."""

    def __init__(self, suite: Suite, job: Job) -> None:
        self.measurement = Measurement(suite.name, job)
        self._suite = suite
        self._worker: Worker | None = None

    def _start(self) -> Worker:
        worker = Worker(self.measurement.job)
        self.measurement.version = worker.ready["version"]
        return worker

    def _window(self, worker: Worker, batches: int | None, watched: bool) -> dict[str, Any]:
        with ExitStack() as stack:
            watch = stack.enter_context(Watch(worker.pid)) if watched else None
            window = worker.run(batches)
        if watch is not None:
            peak = watch.peak.beyond(Memory(**worker.ready["base"]))
            self.measurement.peak = self.measurement.peak.highest(peak)
            self.measurement.peaks.append(peak)
        return window

    def warm_up(self) -> None:
        """Start the process; its first window fills caches, shows first batch and memory."""
        self._worker = self._start()
        window = self._window(self._worker, None, watched=True)
        if not self._suite.fresh:
            first = self._worker.ready["construction"] + window["first_batch"]
            self.measurement.first_batch.append(first)

    def turn(self) -> None:
        """One window."""
        if self._suite.fresh:
            self._fresh_window()
            return
        assert self._worker is not None
        window = self._window(self._worker, None, self._suite.watched)
        self._record(window["images"], window["seconds"])

    def _fresh_window(self) -> None:
        self.close()
        self._worker = self._start()
        window = self._window(self._worker, self._suite.batches, watched=False)
        first = self._worker.ready["construction"] + window["first_batch"]
        self.measurement.first_batch.append(first)
        self._record(window["images"], first if self._suite.batches == 1 else window["seconds"])

    def _record(self, images: int, seconds: float) -> None:
        if not images:
            raise WorkerError("the window gave no image")
        self.measurement.images.append(images)
        self.measurement.seconds.append(seconds)

    def close(self) -> None:
        """End the process if there is one."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def measure(suite: Suite, jobs: Iterable[Job], rounds: int) -> list[Measurement]:
    """Measure a suite's jobs, interleaved; one that fails is out from there on, with its error."""
    runners = [Runner(suite, job) for job in jobs]
    with ExitStack() as stack:
        for runner in runners:
            stack.callback(runner.close)
        for step in [Runner.warm_up] + [Runner.turn] * rounds:
            for runner in runners:
                if runner.measurement.error:
                    continue
                try:
                    step(runner)
                except (WorkerError, NotInstalledError) as error:
                    runner.measurement.error = str(error)
                    runner.close()
    measurements = [runner.measurement for runner in runners]
    for measurement in measurements:
        measurement.bytes = disk.size(Path(measurement.job.reads))
    return measurements
