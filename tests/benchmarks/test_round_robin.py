from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks import page_cache, round_robin
from benchmarks.environments import NotInstalledError
from benchmarks.job import Job
from benchmarks.page_cache import StillCachedError
from benchmarks.process import WorkerError
from benchmarks.round_robin import measure
from benchmarks.suites import Suite

JOBS = [Job("fastload", "load", threads=1), Job("dali", "load", threads=2)]
STEADY = Suite("steady", "load", (), seconds=0)
FRESH = Suite("fresh", "load", (), fresh=True, batches=1)
EPOCH = Suite("epoch", "load", (), fresh=True)


class PlantedWorker:
    """Notes what it is asked; ``dali`` can be made to fail at a given window."""

    diary: list[str]
    failing_window = 0
    spent = 0.0

    def __init__(self, job: Job) -> None:
        if job.peer == "ffcv":
            raise NotInstalledError("ffcv is not installed")
        self.peer = job.peer
        self.pid = os.getpid()
        self.imported = {"version": "1", "base": {"anonymous": 0, "pss": 0}}
        self.ready = {"construction": 1.0, "cpu_before": self.spent - 0.25}
        self.windows = 0
        self.diary.append(f"{self.peer} starts")

    def await_import(self) -> None:
        self.diary.append(f"{self.peer} imports")

    def construct(self) -> None:
        self.diary.append(f"{self.peer} constructs")

    def run(self, batches: int | None) -> dict[str, Any]:
        self.windows += 1
        type(self).spent += 3.0
        self.diary.append(f"{self.peer} runs {'all' if batches is None else batches}")
        if self.peer == "dali" and self.windows == self.failing_window:
            raise WorkerError("dali broke")
        return {"images": 10 * self.windows, "seconds": 2.0, "first_batch": 0.5}

    def close(self) -> None:
        self.diary.append(f"{self.peer} ends")


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(PlantedWorker, "diary", [], raising=False)
    monkeypatch.setattr(PlantedWorker, "spent", 100.0)
    monkeypatch.setattr(round_robin, "Worker", PlantedWorker)
    monkeypatch.setattr(
        round_robin.processor_time, "of_tree", lambda _pid: float(PlantedWorker.spent)
    )
    return PlantedWorker.diary


def windows(diary: list[str]) -> list[str]:
    return [line.split()[0] for line in diary if " runs " in line]


def test_all_import_before_the_first_is_measured(diary: list[str]) -> None:
    measure(STEADY, JOBS, rounds=0)
    assert diary == [
        *("fastload starts", "dali starts"),
        *("fastload imports", "dali imports"),
        *("fastload constructs", "fastload runs all", "dali constructs", "dali runs all"),
        *("dali ends", "fastload ends"),
    ]


def test_entrants_take_turns(diary: list[str]) -> None:
    ours, theirs = measure(STEADY, JOBS, rounds=2)
    turns = windows(diary)[2:]
    assert sorted(turns[:2]) == sorted(turns[2:]) == ["dali", "fastload"]
    # The first window is the warm-up: it gives the first batch and no rate.
    assert ours.rates == theirs.rates == [10.0, 15.0]
    assert ours.cpu_seconds == [3.0, 3.0]
    assert ours.first_batch == [1.5]
    assert ours.peak.pss > 0


def test_nobody_always_follows_the_same_neighbour(diary: list[str]) -> None:
    jobs = [Job(peer, "load") for peer in ("fastload", "dali", "imagefolder", "pillow")]
    measure(STEADY, jobs, rounds=5)
    turns = windows(diary)[len(jobs) :]
    before = {job.peer: set[str]() for job in jobs}
    for one, other in pairwise(turns):
        before[other].add(one)
    assert min(map(len, before.values())) > 1


def test_a_turn_goes_on_until_it_has_its_seconds(diary: list[str]) -> None:
    [one] = measure(replace(STEADY, seconds=5.0), JOBS[:1], rounds=1)
    assert windows(diary) == ["fastload"] * 4
    assert (one.images, one.seconds, one.cpu_seconds) == ([20 + 30 + 40], [6.0], [9.0])


def test_an_adapters_own_seconds_are_those_of_one_busy_thread(diary: list[str]) -> None:
    [one] = measure(replace(STEADY, own_seconds=True), JOBS[:1], rounds=1)
    assert one.cpu_seconds == one.seconds == [2.0]


def test_a_fresh_suite_starts_a_process_for_each_first_batch(diary: list[str]) -> None:
    [one] = measure(FRESH, JOBS[:1], rounds=2)
    one_life = ("starts", "imports", "constructs", "runs 1", "ends")
    assert diary == [f"fastload {line}" for line in one_life * 3]
    assert one.first_batch == one.seconds == [1.5, 1.5]
    # From before the construction, as the time.
    assert one.cpu_seconds == [3.25, 3.25]


def test_a_fresh_suite_of_whole_windows_counts_no_construction(diary: list[str]) -> None:
    [one] = measure(EPOCH, JOBS[:1], rounds=2)
    assert windows(diary) == ["fastload"] * 3
    assert one.seconds == [2.0, 2.0]
    assert one.cpu_seconds == [3.0, 3.0]
    assert one.first_batch == [1.5, 1.5]


def test_a_quick_run_has_one_window_a_turn_and_no_warm_up_of_fresh_ones(diary: list[str]) -> None:
    measure(replace(STEADY, seconds=60.0), JOBS[:1], rounds=1, quick=True)
    assert len(windows(diary)) == 2
    diary.clear()
    [one] = measure(EPOCH, JOBS[:1], rounds=1, quick=True)
    assert len(windows(diary)) == 1
    assert one.peak.pss > 0


def test_files_are_dropped_when_nobody_has_them_and_before_the_next_one_starts(
    diary: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(page_cache, "drop", lambda path: diary.append(f"{path.name} dropped"))
    jobs = [replace(job, photos=str(tmp_path / job.peer)) for job in JOBS]
    measure(replace(EPOCH, cold=True), jobs, rounds=2)
    running = 0
    for line in diary:
        running += line.endswith("starts") - line.endswith("ends")
        assert not (running and line.endswith("dropped"))
    places = [place for place, line in enumerate(diary) if line.endswith("dropped")]
    assert len(places) == 4
    for place in places:
        assert diary[place + 1] == diary[place].replace("dropped", "starts")


def test_files_that_stay_in_memory_are_told_in_the_entrants_row(
    diary: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> None:
        raise StillCachedError("they stayed")

    monkeypatch.setattr(page_cache, "drop", refuse)
    [one] = measure(replace(EPOCH, cold=True), JOBS[:1], rounds=2)
    assert (one.error, one.rates) == ("they stayed", [])


def test_one_that_breaks_stops_alone(diary: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlantedWorker, "failing_window", 2)
    ours, theirs = measure(STEADY, JOBS, rounds=3)
    assert (len(ours.rates), ours.error) == (3, "")
    assert theirs.error == "dali broke"
    assert diary.count("dali ends") == 1


def test_one_that_is_not_installed_is_listed_with_its_reason(diary: list[str]) -> None:
    one, absent = measure(STEADY, [JOBS[0], Job("ffcv", "load")], rounds=1)
    assert one.rates
    assert absent.error == "ffcv is not installed"
