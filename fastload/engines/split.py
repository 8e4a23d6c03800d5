"""Work of which some rows are for another engine."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from fastload.engines.pool import JobFacts
from fastload.engines.protocol import Job

__all__ = ["SplitJob"]


class SplitJob:
    """Several jobs as one.

    Args:
        jobs: each with the rows of the work that it computes.
    """

    def __init__(self, jobs: list[tuple[npt.NDArray[np.int64], Job]]) -> None:
        self._jobs = jobs

    def wait(self, seconds: float | None) -> bool:
        """Whether all are done, after waiting at most ``seconds``."""
        deadline = None if seconds is None else time.monotonic() + seconds
        for _, job in self._jobs:
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            if not job.wait(left):
                return False
        return True

    def failures(self) -> dict[int, str]:
        """Those of all, by the row of the work."""
        return {
            int(rows[row]): reason
            for rows, job in self._jobs
            for row, reason in job.failures().items()
        }

    def hand_over(self) -> None:
        """Hand over the images of each."""
        for _, job in self._jobs:
            job.hand_over()

    def facts(self) -> JobFacts:
        """Those of all, added."""
        return sum((job.facts() for _, job in self._jobs), JobFacts())

    def close(self) -> None:
        """Close each."""
        for _, job in self._jobs:
            job.close()
