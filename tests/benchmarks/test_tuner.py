"""The benchmark of the tuner: what is compared, and what its table says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.tuner import command, entrants
from benchmarks.tuner.entrants import Entrant
from benchmarks.tuner.outcome import Outcome, compare
from fastload.tune import FolderSettings, PackSettings, Settings


def outcome(chosen_rates: list[float], tuner_seconds: float) -> Outcome:
    return Outcome(
        name="a loader",
        best=PackSettings(3),
        chosen=PackSettings(2, cache=0),
        best_rates=[1000.0, 1000.0, 1000.0],
        chosen_rates=chosen_rates,
        cells=24,
        tried=6,
        grid_seconds=100.0,
        tuner_seconds=tuner_seconds,
    )


def test_a_choice_that_is_near_and_quick() -> None:
    found = outcome([960.0, 900.0, 1010.0], 20.0)
    assert found.verdict() == (
        "a loader: the tuner's choice reaches 0.96 (0.90-1.01) of the grid's best; promised 0.95: "
        "held. It took 0.20 of the grid's time; promised 0.20: held."
    )
    assert found.rows()[1] == (
        "| | tuner | num_workers 2, prefetch_factor 2, cache 0 | 960 (900-1,010) | 6 | 20 |"
    )


def test_a_choice_that_is_neither() -> None:
    words = outcome([940.0, 900.0, 1010.0], 21.0).verdict()
    assert words.count("missed") == 2 and "held" not in words


def test_the_grids_best_is_the_best_of_medians_and_both_are_measured_again() -> None:
    speeds: dict[Settings, list[float]] = {
        FolderSettings(1): [100.0] * 8,
        # One lucky round does not make a setting the best.
        FolderSettings(2): [300.0, 90.0, 90.0],
        FolderSettings(3): [150.0] * 8,
    }
    asked: list[Settings] = []

    class Planted(Entrant):
        def rate(self, settings: Settings) -> float:
            asked.append(settings)
            return speeds[settings].pop(0)

    class Found:
        trials = (1, 2)

        class choice:  # noqa: N801 - as the tuning has it
            settings = FolderSettings(1)

    tune: Any = Found
    entrant = Planted("planted", list(speeds), lambda settings: None, tune, 1, 1.0)
    now = iter([0.0, 60.0, 60.0, 65.0])
    found = compare(entrant, 3, lambda words: None, lambda: next(now))
    assert (found.best, found.chosen) == (FolderSettings(3), FolderSettings(1))
    assert (found.best_rates, found.chosen_rates) == ([150.0] * 5, [100.0] * 5)
    assert asked[:6] == [FolderSettings(number) for number in (1, 2, 3, 3, 2, 1)]
    assert asked[9:11] == [FolderSettings(3), FolderSettings(1)]
    assert (found.grid_seconds, found.tuner_seconds, found.tried) == (60.0, 5.0, 2)


def test_whole_epochs_are_timed(label_folder: Path, tmp_path: Path) -> None:
    entrant = entrants.pack(label_folder, tmp_path / "photos.pack", 0.01)
    assert PackSettings(1, 8, cache=0) in entrant.cells
    assert entrant.rate(PackSettings(1)) > 0
    assert entrants.folder(label_folder, 0.01).rate(FolderSettings(0)) > 0


def test_the_command_says_what_it_wants(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main([])
    assert "photos" in capsys.readouterr().err
