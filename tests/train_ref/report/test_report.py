"""What the pages say, and the command that writes them."""

from __future__ import annotations

import re
import shutil
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import f1_score

from tests.train_ref.report.conftest import sorted_runs
from tests.train_ref.report.run_folders import SETTINGS, Recipe, made_run
from train_ref.commands.report import command
from train_ref.errors import TrainError
from train_ref.report import read_run, write_folds, write_report
from train_ref.run_folder import MetricLog


def words(page: Path) -> str:
    """The page's text, with single spaces."""
    text = re.sub(r"<(style|script|svg).*?</\1>|<[^>]+>", " ", page.read_text("utf-8"), flags=re.S)
    return re.sub(r"\s+", " ", unescape(text))


def test_headline_is_next_to_what_a_constant_answer_reaches(walls: Path, tmp_path: Path) -> None:
    run = read_run(made_run(tmp_path / "run", Recipe(walls, "together", 0)))
    assert run.answers is not None
    text, scores = words(write_report(run)), run.answers.scores
    labels = run.answers.labels
    largest = np.bincount(labels).max() / len(labels)
    assert f"Accuracy {scores.accuracy:.3f} constant answer {largest:.3f}" in text
    assert f"Macro F1 {scores.macro_f1:.3f} constant answer" in text


def test_a_run_with_all_files(walls: Path, tmp_path: Path) -> None:
    run = read_run(made_run(tmp_path / "run", Recipe(walls, "apart", 0)))
    text = words(write_report(run))
    for said in (
        "ImageNet weights of torchvision",
        "python -m train_ref fit --data 'walls and floors.pack'",
        "--loss balanced-softmax",
        "Logits are adjusted by the classes' sizes, tau = 0.40",
        "1.3 % of the time of training",
        "fold 0",
    ):
        assert said in text
    assert "Not finished" not in text


def test_tells_what_tau_is_worth(walls: Path, tmp_path: Path) -> None:
    run = read_run(made_run(tmp_path / "run", Recipe(walls, "together", 0, tau=0.9)))
    assert run.answers is not None
    logits, labels = run.answers.logits, run.answers.labels
    before = f1_score(labels, logits.argmax(axis=1), average="macro", zero_division=0)
    after = f1_score(labels, run.answers.probabilities.argmax(axis=1), average="macro")
    assert before != after
    text = words(write_report(run))
    assert f"Macro F1 is {after:.3f} with it and {before:.3f} without." in text
    assert "it comes to 0.432." in text


@pytest.mark.parametrize(
    ("stage", "said"), [("crt", "second stage kept"), ("none", "not better, and not kept")]
)
def test_tells_of_the_second_stage(walls: Path, tmp_path: Path, stage: str, said: str) -> None:
    config = SETTINGS.replace(two_stage="crt")
    folder = made_run(tmp_path / "run", Recipe(walls, "together", 0, config=config))
    *lines, final = MetricLog(folder.metrics)
    folder.metrics.unlink()
    for line in (*lines, final | {"two_stage": stage}):
        MetricLog(folder.metrics).append(**line)
    assert said in words(write_report(read_run(folder)))


def test_warns_of_pictures_on_both_sides(walls: Path, tmp_path: Path) -> None:
    said = re.compile(r"\d+ of \d+ validation images look like training images")
    warned = {}
    for split, fold in (("apart", 0), ("apart", 1), ("apart", 2), ("together", 0)):
        folder = made_run(tmp_path / f"{split}{fold}", Recipe(walls, split, fold, epochs=0))
        warned[split, fold] = bool(said.search(words(write_report(read_run(folder)))))
    assert not warned.pop(("together", 0))
    # The pair is on two sides, so that two of the folds have one of it to validate with.
    assert sorted(warned.values()) == [False, True, True]


def test_warns_where_nothing_was_learnt(walls: Path, tmp_path: Path) -> None:
    folder = made_run(tmp_path / "run", Recipe(walls, "together", 0, skill=-20.0, tau=0.0))
    text = words(write_report(read_run(folder)))
    assert "Macro F1 is no better than that of a constant answer" in text
    assert "Logits are adjusted" not in text


def test_says_what_waits(walls: Path, tmp_path: Path) -> None:
    folder = made_run(tmp_path / "run", Recipe(walls, "together", 0, epochs=3))
    log = MetricLog(folder.metrics)
    lines = [one | {"data_wait": 0.25} if one["kind"] == "epoch" else one for one in log]
    folder.metrics.unlink()
    for one in lines:
        log.append(**one)
    text = words(write_report(read_run(folder)))
    assert "25.0 % of the time went into waiting for data" in text
    assert f"Not finished: 3 of {SETTINGS.epochs} epochs" in text


def test_without_its_pack_a_run_still_has_a_page(walls: Path, tmp_path: Path) -> None:
    shutil.copytree(walls, tmp_path / "moved.pack")
    folder = made_run(tmp_path / "run", Recipe(tmp_path / "moved.pack", "together", 0))
    (tmp_path / "moved.pack").rename(tmp_path / "away.pack")
    page = write_report(read_run(folder))
    text = words(page)
    assert "Images cannot be shown" in text and "moved.pack" in text
    assert "It is not known whether validation images look like training images" in text
    assert "Worst mistakes" in text


def test_a_damaged_image_is_left_out(walls: Path, tmp_path: Path) -> None:
    shutil.copytree(walls, tmp_path / "copy.pack")
    folder = made_run(tmp_path / "run", Recipe(tmp_path / "copy.pack", "together", 0))
    whole = write_report(read_run(folder)).read_text("utf-8").count("<img ")
    for shard in (tmp_path / "copy.pack" / "shards").iterdir():
        content = bytearray(shard.read_bytes())
        content[600 : len(content) - 1024] = bytes(len(content) - 1624)
        shard.write_bytes(content)
    damaged = write_report(read_run(folder)).read_text("utf-8").count("<img ")
    assert 0 < damaged < whole


def test_nothing_validated_nothing_logged(walls: Path, tmp_path: Path) -> None:
    folder = made_run(tmp_path / "run", Recipe(walls, "together", 0))
    for file in (folder.logits, folder.seen, folder.metrics):
        file.unlink()
    text = words(write_report(read_run(folder)))
    assert "Settings" in text and "Not finished: 0 of" in text
    assert "Confusion" not in text


def test_mean_and_spread_over_folds(folds_of_walls: Path) -> None:
    runs = [read_run(folder) for folder in sorted_runs(folds_of_walls)]
    text = words(folds_of_walls / "folds.html")
    assert text.split()[0:2] == ["3", "folds:"]
    for label, name in (("Macro F1", "macro_f1"), ("Accuracy", "accuracy")):
        each = [run.answers.scores.value(name) for run in runs if run.answers]
        assert f"{label} {np.mean(each):.3f} ± {np.std(each, ddof=1):.3f}" in text
        assert f"{each[1]:.3f}" in text
    images = sum(len(run.answers.labels) for run in runs if run.answers)
    assert f"All {images} answers of the runs together" in text
    assert "2 validation images look like training images of their run" in text
    assert "missing" not in text and "different settings" not in text


def test_folds_that_do_not_belong_together(walls: Path, tmp_path: Path) -> None:
    config = SETTINGS.replace(folds=3)
    first = read_run(made_run(tmp_path / "1", Recipe(walls, "together", 0, config=config)))
    other = config.replace(lr=0.5)
    second = read_run(made_run(tmp_path / "2", Recipe(walls, "together", 0, config=other)))
    text = words(write_folds([first, second]))
    assert "The runs have different settings They differ in lr" in text
    assert "Images are validated by several of the runs" in text
    assert "2 of 3 folds are missing Fold 1, 2." in text

    names = ["a", "b", "c", "d", "e"]
    third = read_run(made_run(tmp_path / "3", Recipe(walls, "together", 1), names))
    with pytest.raises(TrainError, match="have other classes"):
        write_folds([first, third])
    second.folder.logits.unlink()
    with pytest.raises(TrainError, match="has validated nothing"):
        write_folds([first, read_run(second.folder)])


def test_command(walls: Path, tmp_path: Path) -> None:
    for fold in range(2):
        made_run(tmp_path / "runs" / f"fold{fold}", Recipe(walls, "together", fold))
    one = CliRunner().invoke(command, [str(tmp_path / "runs" / "fold0")], catch_exceptions=False)
    assert one.output == f"runs, fold0: {tmp_path}/runs/fold0/report.html\n"
    assert not (tmp_path / "runs" / "folds.html").exists()
    both = CliRunner().invoke(command, [str(tmp_path / "runs")], catch_exceptions=False)
    assert both.output.splitlines()[-1] == f"2 runs together: {tmp_path}/runs/folds.html"
    assert (tmp_path / "runs" / "fold1" / "report.html").is_file()
    with pytest.raises(TrainError, match="no run's folder"):
        CliRunner().invoke(command, [str(walls)], catch_exceptions=False)
    assert CliRunner().invoke(command, []).exit_code == 2
