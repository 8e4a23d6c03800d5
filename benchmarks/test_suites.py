"""One benchmark for each entrant of each suite; ``-k loader``, ``-k dali`` ... choose some."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.job import Job
from benchmarks.replay import ReplayClock
from benchmarks.round_robin import Measurement
from benchmarks.suites import OURS, SUITES, Suite

CLOCK = ReplayClock()
ENTRANTS = [
    pytest.param(
        suite,
        job,
        id=f"{suite.name}-{job.label}",
        marks=pytest.mark.benchmark(group=suite.name, timer=CLOCK),
    )
    for suite in SUITES
    for job in suite.jobs()
]


@pytest.mark.parametrize(("suite", "job"), ENTRANTS)
def test_entrant(
    suite: Suite,
    job: Job,
    measured: Callable[[Suite, Job], Measurement],
    benchmark: BenchmarkFixture,
) -> None:
    measurement = measured(suite, job)
    if measurement.error:
        if job.peer == OURS:
            pytest.fail(measurement.error, pytrace=False)
        pytest.skip(measurement.error)
    benchmark.extra_info.update(measurement.extra_info())
    CLOCK.replay(measurement.seconds, benchmark)
