from __future__ import annotations

import os
from typing import Any

import pytest

from benchmarks import round_robin
from benchmarks.environments import NotInstalledError
from benchmarks.job import Job
from benchmarks.process import WorkerError
from benchmarks.round_robin import measure
from benchmarks.suites import Suite

JOBS = [Job("one", "load", threads=1), Job("two", "load", threads=2)]
STEADY = Suite("steady", "load", ())
FRESH = Suite("fresh", "load", (), fresh=True, batches=1)
EPOCH = Suite("epoch", "load", (), fresh=True)


class PlantedWorker:
    """Notes what it is asked; ``two`` can be made to fail at a given window."""

    diary: list[str]
    failing_window = 0

    def __init__(self, job: Job) -> None:
        if job.peer == "absent":
            raise NotInstalledError("absent is not installed")
        self.peer = job.peer
        self.pid = os.getpid()
        self.ready = {"construction": 1.0, "version": "1", "base": {"anonymous": 0, "pss": 0}}
        self.windows = 0
        self.diary.append(f"{self.peer} starts")

    def run(self, batches: int | None) -> dict[str, Any]:
        self.windows += 1
        self.diary.append(f"{self.peer} runs {'all' if batches is None else batches}")
        if self.peer == "two" and self.windows == self.failing_window:
            raise WorkerError("two broke")
        return {"images": 10 * self.windows, "seconds": 2.0, "first_batch": 0.5}

    def close(self) -> None:
        self.diary.append(f"{self.peer} ends")


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(PlantedWorker, "diary", [], raising=False)
    monkeypatch.setattr(round_robin, "Worker", PlantedWorker)
    return PlantedWorker.diary


def test_entrants_take_turns(diary: list[str]) -> None:
    one, two = measure(STEADY, JOBS, rounds=2)
    assert diary == [
        *("one starts", "one runs all", "two starts", "two runs all"),
        *("one runs all", "two runs all") * 2,
        *("two ends", "one ends"),
    ]
    # The first window is the warm-up: it gives the first batch and no rate.
    assert one.rates == two.rates == [10.0, 15.0]
    assert one.first_batch == [1.5]
    assert one.peak.pss > 0


def test_a_fresh_suite_starts_a_process_for_each_first_batch(diary: list[str]) -> None:
    [one] = measure(FRESH, JOBS[:1], rounds=2)
    assert diary == [
        *("one starts", "one runs all", "one ends"),
        *("one starts", "one runs 1", "one ends"),
        *("one starts", "one runs 1", "one ends"),
    ]
    assert one.first_batch == one.seconds == [1.5, 1.5]


def test_a_fresh_suite_of_whole_windows_counts_no_construction(diary: list[str]) -> None:
    [one] = measure(EPOCH, JOBS[:1], rounds=2)
    assert diary == ["one starts", "one runs all", "one ends"] * 3
    assert one.seconds == [2.0, 2.0]
    assert one.first_batch == [1.5, 1.5]


def test_one_that_breaks_stops_alone(diary: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlantedWorker, "failing_window", 2)
    one, two = measure(STEADY, JOBS, rounds=3)
    assert (len(one.rates), one.error) == (3, "")
    assert two.error == "two broke"
    assert diary.count("two ends") == 1


def test_one_that_is_not_installed_is_listed_with_its_reason(diary: list[str]) -> None:
    one, absent = measure(STEADY, [JOBS[0], Job("absent", "load")], rounds=1)
    assert one.rates
    assert absent.error == "absent is not installed"


def test_the_json_figures_are_medians_with_every_round_beside(diary: list[str]) -> None:
    [one] = measure(STEADY, JOBS[:1], rounds=3)
    info = one.extra_info()
    assert info["images_per_second"] == 15.0
    assert info["images_per_second_by_round"] == [10.0, 15.0, 20.0]
    assert info["first_batch_seconds"] == 1.5
    assert info["job"]["peer"] == "one"
