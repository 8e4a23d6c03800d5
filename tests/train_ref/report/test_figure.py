from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.train_ref.report.run_folders import SETTINGS, Recipe, made_run
from train_ref.report import read_run
from train_ref.report.calibration import calibration_of
from train_ref.report.curves import curves_of, folds_curve, reliability, size_against_f1, speed


@pytest.fixture(scope="module")
def figures(walls: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    run = read_run(made_run(tmp_path_factory.mktemp("run") / "run", Recipe(walls, "together", 0)))
    assert run.answers is not None
    calibration = calibration_of(run.answers.probabilities, run.answers.labels)
    scores = run.answers.scores
    pictures = [
        *curves_of(run),
        speed(run),
        reliability(calibration),
        size_against_f1(run.counts, scores.f1, scores.support),
        folds_curve([run, run], "macro_f1"),
    ]
    return [str(one.svg) for one in pictures if one is not None]


def test_all_are_drawn(figures: list[str]) -> None:
    assert len(figures) == 7
    assert all(one.startswith("<svg") and one.endswith("</svg>\n") for one in figures)


def test_colours_are_the_pages(figures: list[str]) -> None:
    for one in figures:
        assert "#0102" not in one
        # What is left of matplotlib's own: nothing that is seen.
        seen = re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", one)
        assert not seen, seen
        assert "var(--series-" in one and "var(--faint)" in one


def test_a_page_can_have_several(figures: list[str]) -> None:
    ids = [name for one in figures for name in re.findall(r' id="([^"]+)"', one)]
    assert len(ids) == len(set(ids))
    for one in figures:
        assert "<style" not in one and "<metadata" not in one
        assert set(re.findall(r"url\(#([^)]+)\)", one)) <= set(re.findall(r' id="([^"]+)"', one))


def test_text_is_text(figures: list[str]) -> None:
    assert ">epoch</text>" in figures[0]
    assert "DejaVu" not in "".join(figures)


def test_drawn_twice_alike(walls: Path, tmp_path: Path) -> None:
    run = read_run(made_run(tmp_path / "run", Recipe(walls, "together", 1)))
    assert [one.svg for one in curves_of(run)] == [one.svg for one in curves_of(run)]


@pytest.mark.parametrize("epochs", [0, 1])
def test_hardly_begun(walls: Path, tmp_path: Path, epochs: int) -> None:
    run = read_run(made_run(tmp_path / "run", Recipe(walls, "together", 1, epochs=epochs)))
    assert not run.final and run.config.epochs == SETTINGS.epochs
    titles = [one.title for one in curves_of(run)]
    assert titles == (["Training loss", "Validation", "Learning rate"] if epochs else [])
    assert (speed(run) is not None) == bool(epochs)


def test_long_runs_are_thinned(walls: Path, tmp_path: Path) -> None:
    long = SETTINGS.replace(epochs=400)
    run = read_run(
        made_run(tmp_path / "run", Recipe(walls, "together", 1, config=long, epochs=400))
    )
    assert len(run.steps) == 8000
    assert max(len(one.svg) for one in curves_of(run)) < 60_000
    assert np.isfinite(run.counts).all()
