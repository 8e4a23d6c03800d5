from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.replay import ReplayClock

CLOCK = ReplayClock()


@pytest.mark.benchmark(timer=CLOCK)
def test_the_rounds_are_the_durations_told(benchmark: BenchmarkFixture) -> None:
    CLOCK.replay([0.5, 2.0, 1.0], benchmark)
    if benchmark.enabled:
        assert benchmark.stats.stats.data == [0.5, 2.0, 1.0]
