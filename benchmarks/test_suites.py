"""One benchmark for each entrant of each suite; ``-k loader``, ``-k dali`` ... choose some."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measurement import Measurement
from benchmarks.replay import ReplayClock
from benchmarks.suites import OURS, SUITES

CLOCK = ReplayClock()
# They need nothing that is not here: where they fail, something is wrong.
NEEDED = (OURS, "imagefolder")
ENTRANTS = [
    pytest.param(name, label, marks=pytest.mark.benchmark(group=name, timer=CLOCK))
    for name, suite in SUITES.items()
    for label in suite.jobs()
]


@pytest.mark.parametrize(("suite", "label"), ENTRANTS)
def test_entrant(
    suite: str,
    label: str,
    measured: Callable[[str, str], Measurement],
    benchmark: BenchmarkFixture,
) -> None:
    measurement = measured(suite, label)
    if measurement.error:
        if measurement.job.peer in NEEDED:
            pytest.fail(measurement.error, pytrace=False)
        pytest.skip(measurement.error)
    benchmark.extra_info.update(measurement.result().extra_info())
    CLOCK.replay(measurement.seconds, benchmark)
