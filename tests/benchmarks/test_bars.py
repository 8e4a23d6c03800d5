from __future__ import annotations

import pytest

from benchmarks.bars import BARS, AtLeast, AtMost, BytesAtMost, Scales
from benchmarks.measurement import Measurement
from benchmarks.suites import SUITES
from tests.benchmarks.measurements import measurement

TWICE = AtLeast("twice as fast", "loader", "dali", 2.0)


def test_ratios_are_taken_within_a_round() -> None:
    verdict = TWICE.judge([measurement("fastload", 30, 20, 80), measurement("dali", 10, 10, 20)])
    assert verdict.values == (3.0, 2.0, 4.0)
    assert verdict.value == 3.0
    assert verdict.held


def test_ours_is_held_against_the_peers_best_setting() -> None:
    ours = measurement("fastload", 30)
    slow, fast = measurement("dali", 10, threads=1), measurement("dali", 20, threads=3)
    verdict = TWICE.judge([ours, slow, fast])
    assert verdict.values == (1.5,)
    assert not verdict.held


@pytest.mark.parametrize(
    ("measurements", "missing"),
    [
        ([], "no figures of fastload"),
        ([measurement("fastload", 30)], "no figures of dali"),
        (
            [measurement("fastload", 30), measurement("dali", 10, error="gone")],
            "no figures of dali",
        ),
        (
            [measurement("fastload", 30), measurement("dali", 10, suite="other")],
            "no figures of dali",
        ),
    ],
)
def test_a_bar_without_figures_is_neither_held_nor_forgotten(
    measurements: list[Measurement], missing: str
) -> None:
    verdict = TWICE.judge(measurements)
    assert verdict.missing == missing
    assert not verdict.held


@pytest.mark.parametrize(("limit", "held"), [(0.3, True), (0.25, True), (0.2, False)])
def test_a_limit_is_kept_up_to_its_very_value(limit: float, held: bool) -> None:
    bar = AtMost("first batch", "loader", "first_batch", limit, "s")
    assert bar.judge([measurement("fastload", 30)]).held is held


def test_bytes_are_those_on_disk() -> None:
    bar = BytesAtMost("half of it", "loader", "dali", 0.5, "fastload")
    ours, theirs = measurement("fastload", 30), measurement("dali", 10)
    ours.bytes, theirs.bytes = 50, 100
    assert bar.judge([ours, theirs]).held
    ours.bytes = 51
    assert bar.judge([ours, theirs]).values == (0.51,)
    assert not bar.judge([ours, theirs]).held
    assert bar.judge([ours]).missing == "no figures of dali"


def test_threads_are_held_against_one_another_round_by_round() -> None:
    bar = Scales("scales", "loader", "fastload", 1.8)
    two = measurement("fastload", 20, 18, threads=2)
    assert bar.judge([two]).missing
    verdict = bar.judge([two, measurement("fastload", 10, 10, threads=1)])
    assert verdict.values == (2.0, 1.8)
    assert verdict.held


def test_every_bar_names_a_suite_with_its_entrants_and_a_figure() -> None:
    for bar in BARS:
        jobs = SUITES[bar.suite].jobs().values()
        peers = {job.peer for job in jobs}
        assert bar.ours in peers
        if isinstance(bar, AtMost):
            assert getattr(measurement("fastload", 10), bar.figure)
        elif isinstance(bar, Scales):
            assert {1, 2} <= {job.threads for job in jobs if job.peer == bar.ours}
        else:
            assert bar.peer in peers
