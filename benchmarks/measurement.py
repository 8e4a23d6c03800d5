"""What one job took."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from benchmarks.job import Job
from benchmarks.peers import PEERS
from fastload.bench.results import Failure, Result
from fastload.measure.memory import Memory


@dataclass
class Measurement:
    """What one job took; a list holds one figure a round.

    Attributes:
        cache_state: of the files that it reads: "warm", "cold", or "" where it reads none.
        form: what it reads.
        seconds: time of each round's windows.
        images: images of each round's windows.
        cpu_seconds: CPU time of the process tree in them.
        first_batch: seconds from before the loader's construction to its first batch; no imports.
        peak: highest memory of the process tree beyond the process with torch imported.
        peaks: the same of each window that was watched, the warm-up first.
        bytes: of the peer's form of the photos on disk.
        packing_seconds: what the peer's writer took for that form; None of one that has no writer.
        error: why there is nothing, or nothing more, to see.

    """

    suite: str
    job: Job
    cache_state: str = ""
    form: str = ""
    seconds: list[float] = field(default_factory=list)
    images: list[int] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    first_batch: list[float] = field(default_factory=list)
    peak: Memory = field(default_factory=Memory)
    peaks: list[Memory] = field(default_factory=list)
    bytes: int = 0
    packing_seconds: float | None = None
    version: str = ""
    error: str = ""

    @property
    def rates(self) -> list[float]:
        """Images a second, one figure a round."""
        return [images / seconds for images, seconds in zip(self.images, self.seconds, strict=True)]

    @property
    def rates_of_a_core(self) -> list[float]:
        """Images a second of CPU time, one figure a round; none where that is too short to tell."""
        pairs = zip(self.images, self.cpu_seconds, strict=True)
        return [images / seconds for images, seconds in pairs if seconds > 0]

    @property
    def cpu_percent(self) -> list[float]:
        """CPU time for 100 of elapsed time, one figure a round: 200 are two busy cores."""
        pairs = zip(self.cpu_seconds, self.seconds, strict=True)
        return [100 * spent / seconds for spent, seconds in pairs]

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

    def result(self) -> Result:
        """It as result documents have it."""
        job = self.job
        return Result(
            suite=self.suite,
            label=job.label,
            peer=job.peer,
            title=PEERS[job.peer].called(self.version),
            task=job.task,
            recipe=job.recipe,
            threads=job.threads,
            batch=job.batch,
            photos=job.kind,
            form=self.form or PEERS[job.peer].bytes,
            cache_state=self.cache_state,
            images=tuple(self.images),
            seconds=tuple(self.seconds),
            cpu_seconds=tuple(self.cpu_seconds),
            first_batch_seconds=tuple(self.first_batch),
            peak_pss_bytes=self.peak.pss,
            peak_anonymous_bytes=self.peak.anonymous,
            bytes_on_disk=self.bytes,
            packing_seconds=self.packing_seconds,
            version=self.version,
            x=job.x,
            x_name=job.x_name,
        )

    def failure(self) -> Failure:
        """Which entrant could not run, and why."""
        return Failure(self.suite, self.job.label, self.job.peer, self.error)

    def pack_in(self, seconds: float | None) -> None:
        """Keep what the writer took; where packing is what was measured, its median."""
        packed = self.job.task == "pack" and self.seconds
        self.packing_seconds = median(self.seconds) if packed else seconds
