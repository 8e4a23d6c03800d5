"""Durations measured elsewhere, told to pytest-benchmark through its own clock.

pytest-benchmark times a function of this process, one test's rounds after the other; here the work
is done in the peers' processes, and the rounds of all of them are interleaved. So the tests' clock
stands still but for what it is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_benchmark.fixture import BenchmarkFixture


class ReplayClock:
    """A timer for ``pytest.mark.benchmark(timer=...)``: seconds, moved by hand."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        """The time now."""
        return self._now

    def replay(self, durations: Sequence[float], benchmark: BenchmarkFixture) -> None:
        """Give ``benchmark``, which runs on this clock, one round a duration (seconds)."""
        rest = iter(durations)

        def advance() -> None:
            self._now += next(rest)

        benchmark.pedantic(advance, rounds=len(durations))
