"""The benchmark of the trainer: that ImageFolder's run is the same run, and what its tables say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="train_ref's packages are not installed (extra: train)")

from benchmarks.trainer import recipes, waiting
from benchmarks.trainer.fitting import Fit, fit

TINY = "--model tiny --device cpu --epochs 1 --batch-size 4 --seed 3 --no-hflip --crop-scale 1"


def final(score: float, before: float, honest: float) -> str:
    stages = zip(
        ("scores", "scores_before", "scores_cross_fitted"), (score, before, honest), strict=True
    )
    scores = {stage: {"macro_f1": one, "weighted_f1": one} for stage, one in stages}
    return json.dumps({"kind": "final", **scores}) + "\n"


def made(folder: Path, *lines: str, cpu_seconds: float = 60.0) -> Fit:
    for number, line in enumerate(lines):
        (folder / f"fold{number}").mkdir(parents=True)
        (folder / f"fold{number}" / "metrics.jsonl").write_text(line)
    return Fit(folder, 1.0, cpu_seconds)


def test_image_folders_run_sees_the_same_images(
    label_folder: Path, copy: Path, tmp_path: Path
) -> None:
    """One crop of the whole image: the validation's figures are those of fastload's run."""
    program = ("-m", "benchmarks.trainer.by_image_folder", str(label_folder), "0")
    flags = ["--data", str(copy), "--lr", "0", *TINY.split()]
    ours = fit(tmp_path, "ours", flags)
    theirs = fit(tmp_path, "theirs", flags, program)
    (one,), (other,) = ours.epochs(), theirs.epochs()
    assert one["val"] == other["val"] and one["step"] == other["step"]
    assert theirs.cpu_seconds > 0
    (lines,) = theirs.folds()
    assert [line["kind"] for line in lines] == ["step"] * one["step"] + ["epoch", "final"]


def test_a_failed_run_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        fit(tmp_path, "none", ["--data", str(tmp_path / "nothing")])
    assert "not there" in (tmp_path / "none.log").read_text()


def test_recipes_are_compared_by_what_tau_was_not_chosen_on(tmp_path: Path) -> None:
    plain = made(tmp_path / "plain", final(0.9, 0.2, 0.3), final(0.9, 0.4, 0.5))
    other = made(tmp_path / "other", final(0.9, 0.1, 0.4), final(0.9, 0.1, 0.6), cpu_seconds=660)
    row = recipes._row("balanced softmax", [other])
    assert row == (
        "| balanced softmax | `--loss balanced-softmax` | 0.100 | 0.500 | 0.900 | 0.100 | 0.500 "
        "| 11.0 |"
    )
    verdict = recipes._verdict({"plain": [plain], "balanced softmax": [other]})
    assert "0.200 above plain as trained and 0.100 above plain with tau" in verdict
    assert "Promised 0.10 above plain: held" in verdict and "at most 10: missed" in verdict


def test_waiting_is_a_share_of_all_epochs(tmp_path: Path) -> None:
    lines = [
        json.dumps({"kind": "epoch", "seconds": seconds, "data_wait": share})
        for seconds, share in ((10.0, 0.1), (30.0, 0.02))
    ]
    run = made(tmp_path, "\n".join(lines) + "\n")
    assert waiting._row("fastload", [run]).startswith(
        "| fastload | 40.0 (40.0-40.0) | 4.00% (4.00%-4.00%) |"
    )


def test_the_command_says_what_it_wants() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.trainer"], capture_output=True, text=True
    )
    assert done.returncode == 2 and "tiles" in done.stderr
