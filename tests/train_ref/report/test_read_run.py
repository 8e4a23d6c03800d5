from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.train_ref.report.run_folders import Recipe, made_run
from train_ref.errors import TrainError
from train_ref.report import read_run, runs_in
from train_ref.run_folder import Logits, RunFolder, load_logits, save_logits


@pytest.fixture
def folder(walls: Path, tmp_path: Path) -> RunFolder:
    return made_run(tmp_path / "run", Recipe(walls, "together", 0, tau=0.7))


def test_tau_is_applied_to_the_logits(folder: RunFolder) -> None:
    run, kept = read_run(folder), load_logits(folder.logits)
    assert run.answers is not None
    shares = run.counts / run.counts.sum()
    raised = np.exp(kept.logits - 0.7 * np.log(shares))
    assert np.allclose(run.answers.probabilities, raised / raised.sum(axis=1, keepdims=True))
    right = (raised.argmax(axis=1) == kept.labels).mean()
    assert run.answers.scores.accuracy == pytest.approx(right)
    assert not np.array_equal(raised.argmax(axis=1), kept.logits.argmax(axis=1))


def test_huge_logits_are_probabilities_too(folder: RunFolder) -> None:
    kept = load_logits(folder.logits)
    save_logits(folder.logits, Logits(kept.logits * 1e4, kept.labels, kept.records, kept.paths))
    answers = read_run(folder).answers
    assert answers is not None
    assert np.allclose(answers.probabilities.sum(axis=1), 1)


def test_nothing_validated(folder: RunFolder) -> None:
    folder.logits.unlink()
    folder.seen.unlink()
    run = read_run(folder)
    assert run.answers is None and run.seen is None


def test_logits_of_other_classes_are_refused(folder: RunFolder) -> None:
    kept = load_logits(folder.logits)
    save_logits(folder.logits, Logits(kept.logits[:, :3], kept.labels, kept.records, kept.paths))
    with pytest.raises(TrainError, match=r"val\.npz has logits of shape .* the run has 5 classes"):
        read_run(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("run.json", "{}", "does not say the classes"),
        ("run.json", "[", "no run's folder"),
        ("metrics.jsonl", "no json\n", "no log of figures"),
        ("seen.npz", "PK", "has no images"),
        ("val.npz", "PK", "has no logits"),
        ("config.yaml", "epoch: 3", "no setting"),
    ],
)
def test_broken_files_are_named(folder: RunFolder, name: str, content: str, message: str) -> None:
    (folder.path / name).write_text(content, encoding="utf-8")
    with pytest.raises(TrainError, match=message):
        read_run(folder)


def test_a_folder_of_runs_stands_for_them(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        RunFolder(tmp_path / name).write_facts({})
    (tmp_path / "no run").mkdir()
    (tmp_path / "file").write_text(json.dumps({}))
    assert [one.path.name for one in runs_in(tmp_path)] == ["a", "b"]
    assert [one.path.name for one in runs_in(tmp_path / "a")] == ["a"]
    for path in (tmp_path / "no run", tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(TrainError, match="no run's folder and has none in it"):
            runs_in(path)
