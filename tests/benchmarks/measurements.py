"""Measurements with given figures, for the tests of bars and tables."""

from __future__ import annotations

from benchmarks.job import Job
from benchmarks.measurement import Measurement
from fastload.measure.memory import Memory


def measurement(
    peer: str, *rates: float, suite: str = "loader", threads: int = 2, error: str = ""
) -> Measurement:
    """A peer that did so many images in one second, round by round."""
    return Measurement(
        suite,
        Job(peer, "load", "crop", threads),
        seconds=[1.0] * len(rates),
        images=list(rates),
        cpu_seconds=[2.0] * len(rates),
        first_batch=[0.25],
        peak=Memory(100_000_000, 300_000_000),
        peaks=[Memory(90_000_000, 300_000_000), Memory(100_000_000, 300_000_000)],
        packing_seconds=1.5,
        version=f"{peer} 1.0",
        error=error,
    )
