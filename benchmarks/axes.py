"""What the scaling suites vary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from benchmarks.job import Job
from benchmarks.variants import side_kind


@dataclass(frozen=True)
class Axis:
    """One quantity, and how a job is changed to have it.

    Attributes:
        name: what is counted, as it stands beside the number.
        values: ascending.
        settings: fields of the job for each value.

    """

    name: str
    values: tuple[int, ...]
    settings: Callable[[int], Mapping[str, int | str]]

    def place(self, job: Job, value: int) -> Job:
        """The job at a value."""
        return replace(job, **self.settings(value), x=value, x_name=self.name)


def _long_enough(batch: int) -> Mapping[str, int]:
    """Four batches at least of a thousand photos, so that each of a few workers has some."""
    return {"batch": batch, "passes": max(1, -(-4 * batch // 1000))}


THREADS = Axis("threads", (1, 2), lambda count: {"threads": count})
RANKS = Axis("ranks", (1, 2, 4), lambda count: {"ranks": count})
ROWS = Axis("images in the index", (10**3, 10**4, 10**5, 10**6, 10**7), lambda n: {"rows": n})
BATCHES = Axis("images a batch", (1, 8, 32, 128, 512, 1024), _long_enough)
# The longer of two, 4:3; the last one is 12 megapixels. Of the largest there are three dozen.
SIDES = Axis(
    "pixels a side",
    (64, 128, 256, 512, 1024, 2048, 4000),
    lambda side: {"kind": side_kind(side), "batch": 32},
)
