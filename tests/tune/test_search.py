"""The search finds what was planted, with a clock of its own."""

from __future__ import annotations

import math

import pytest

from fastload.tune.search import Axis, Space, search
from fastload.tune.settings import FolderSettings, PackSettings, Settings
from fastload.tune.trial import Window
from fastload.tune.trials import Trials
from tests.tune.planted import planted

PREFETCH = Axis("prefetch_factor", (4, 8), climbs=True)
WINDOWS = 20
DIED = "DataLoader worker (pid(s) 7) exited unexpectedly"


def folder(most: int) -> Space:
    return Space(FolderSettings(0), most, (PREFETCH,))


def windows(trials: Trials) -> int:
    return sum(len(trial.windows) for trial in trials.all)


@pytest.mark.parametrize("seed", range(10))
def test_a_loader_whose_best_is_at_three_workers(seed: int) -> None:
    speeds = {0: 90, 1: 100, 2: 190, 3: 270, 4: 230, 8: 150}
    trials = planted(lambda settings: speeds[settings.num_workers], noise=0.01, seed=seed)
    choice = search(trials, folder(8))
    assert choice.settings == FolderSettings(3)
    assert len(choice.windows) == 3 and windows(trials) <= 15


@pytest.mark.parametrize("seed", range(10))
def test_a_loader_that_falls_past_two_workers(seed: int) -> None:
    trials = planted(
        lambda settings: (
            100 * min(settings.num_workers, 2) * 0.8 ** max(0, settings.num_workers - 2) or 90
        ),
        noise=0.01,
        seed=seed,
    )
    assert search(trials, folder(16)).settings == FolderSettings(2)
    assert {trial.settings.num_workers for trial in trials.all} <= {0, 1, 2, 3, 4}
    assert windows(trials) <= 15


@pytest.mark.parametrize("seed", range(10))
def test_of_settings_that_are_alike_the_smallest_is_taken(seed: int) -> None:
    trials = planted(lambda settings: 500.0, noise=0.005, seed=seed)
    assert search(trials, folder(8)).settings == FolderSettings(0)


@pytest.mark.parametrize("knee", [1, 3, 5, 8, 11, 20, 32])
def test_the_knee_of_a_curve_is_found_on_a_large_machine(knee: int) -> None:
    def speed(settings: Settings) -> float:
        return 100.0 * min(settings.num_workers, knee) or 95.0

    trials = planted(speed, noise=0.005)
    choice = search(trials, folder(64))
    assert speed(choice.settings) >= 0.95 * 100 * knee
    assert knee - 1 <= choice.settings.num_workers <= math.ceil(1.25 * knee)
    assert windows(trials) <= WINDOWS


def test_more_batches_ahead_are_taken_where_they_help() -> None:
    trials = planted(
        lambda settings: (
            100.0 * min(settings.num_workers, 2) * min(settings.prefetch_factor, 4) or 100.0
        )
    )
    assert search(trials, folder(4)).settings == FolderSettings(2, prefetch_factor=4)


def test_a_cache_that_brings_nothing_is_left_out() -> None:
    space = Space(PackSettings(1), 3, (Axis("cache", (0,), saves=True),))
    alike = planted(lambda settings: 100.0 * min(settings.num_workers, 2))
    assert search(alike, space).settings == PackSettings(2, cache=0)
    faster = planted(lambda settings: 100.0 * settings.num_workers * (1 if settings.cache else 0.5))
    assert search(faster, space).settings == PackSettings(3, cache="auto")


def test_memory_is_saved_also_where_the_step_is_the_bottleneck() -> None:
    space = Space(PackSettings(1), 3, (Axis("cache", (0,), saves=True), PREFETCH))
    trials = planted(lambda settings: 400.0)
    assert search(trials, space, enough=390.0).settings == PackSettings(1, cache=0)
    assert [trial.settings for trial in trials.all] == [PackSettings(1), PackSettings(1, cache=0)]


def test_other_pixels_are_taken_only_where_they_are_faster() -> None:
    space = Space(PackSettings(1), 2, (Axis("decode", ("fast",)), Axis("engine", ("dali",))))
    gain = {"exact": 1.0, "fast": 1.02}
    trials = planted(lambda settings: 100.0 * settings.num_workers * gain[settings.decode])
    assert search(trials, space).settings == PackSettings(2)
    gain["fast"] = 1.2
    trials = planted(lambda settings: 100.0 * settings.num_workers * gain[settings.decode])
    assert search(trials, space).settings == PackSettings(2, decode="fast")


def test_the_search_ends_at_the_smallest_setting_that_is_enough() -> None:
    trials = planted(lambda settings: 100.0 * settings.num_workers or 90.0)
    assert search(trials, folder(32), enough=290.0).settings == FolderSettings(3)
    assert max(trial.settings.num_workers for trial in trials.all) == 4
    assert {trial.settings.prefetch_factor for trial in trials.all} == {2}


def test_enough_that_is_out_of_reach_changes_nothing() -> None:
    trials = planted(lambda settings: 100.0 * min(settings.num_workers, 2) or 90.0)
    assert search(trials, folder(8), enough=1000.0).settings == FolderSettings(2)


def test_a_window_that_flattered_does_not_end_the_search() -> None:
    speeds = iter([300.0])
    trials = planted(lambda settings: next(speeds, 100.0 * settings.num_workers or 90.0))
    choice = search(trials, folder(4), enough=290.0)
    assert choice.settings == FolderSettings(4)


def test_what_does_not_fit_is_named_and_never_run() -> None:
    def speed(settings: Settings) -> float:
        assert settings.num_workers <= 2
        return 100.0 * settings.num_workers or 90.0

    trials = planted(speed, lambda settings: "too large" if settings.num_workers > 2 else "")
    assert search(trials, folder(8)).settings == FolderSettings(2)
    assert [refusal.settings.num_workers for refusal in trials.refused] == [4, 3]


def test_a_loader_that_dies_is_a_trial_without_a_figure() -> None:
    def run(settings: Settings) -> Window:
        if settings.num_workers > 2:
            raise RuntimeError(DIED)
        return Window(100 * settings.num_workers or 90, 1.0)

    trials = Trials(run, lambda settings: "")
    assert search(trials, folder(8)).settings == FolderSettings(2)
    died = {trial.settings.num_workers: trial.failure for trial in trials.all if trial.failure}
    assert died == dict.fromkeys(
        (4, 3), "RuntimeError: DataLoader worker (pid(s) 7) exited unexpectedly"
    )


def test_an_error_of_the_dataset_is_the_users_to_know() -> None:
    def run(settings: Settings) -> Window:
        raise RuntimeError("a transform of mine")

    with pytest.raises(RuntimeError, match="of mine"):
        search(Trials(run, lambda settings: ""), folder(2))
