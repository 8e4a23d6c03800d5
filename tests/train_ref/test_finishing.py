"""After training: the second stage is kept where it is better, tau is chosen, all is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fastload
from train_ref.adjustment import adjusted, choose_tau
from train_ref.checkpoint import Loaded, load_state, model_state, save_state
from train_ref.config import Config
from train_ref.data import open_parts
from train_ref.evaluation import Answers
from train_ref.finishing import finish
from train_ref.metrics import score
from train_ref.models import build
from train_ref.run_folder import MetricLog, RunFolder, load_logits

COUNTS = np.array([7, 5, 1, 4], np.int64)


class _Known:
    """Answers of a head on given features."""

    def __init__(self, model: Any, features: np.ndarray, labels: np.ndarray) -> None:
        self._model, self._features, self._labels = model, features, labels
        self.asked = 0

    def features(self) -> Any:
        self.asked += 1
        return self._features, self._labels

    def logits(self) -> Any:
        with torch.no_grad():
            logits = self._model.head(torch.from_numpy(self._features))
        return logits.numpy(), self._labels


@pytest.fixture
def images(quick: Config) -> fastload.ImageFolder:
    val = open_parts(quick).val
    assert val is not None
    return val


Finishing = Callable[..., tuple[dict[str, Any], dict[str, Any], _Known]]


@pytest.fixture
def finished(quick: Config, images: fastload.ImageFolder, tmp_path: Path) -> Finishing:
    """Finish a run whose features tell classes apart and whose head does not, or does."""

    def run(good_head: bool, **settings: Any) -> tuple[dict[str, Any], dict[str, Any], _Known]:
        config = quick.replace(**settings)
        model = build(config, tuple(images.classes)).model
        labels = np.asarray(images.targets)
        directions = 4 * np.eye(4, model.width, dtype=np.float32)
        with torch.no_grad():
            model.head.weight.zero_()
            model.head.bias.copy_(torch.tensor([3.0, 2.0, 0.0, 1.0]))
            if good_head:
                model.head.weight.copy_(torch.from_numpy(directions))
        validation = _Known(model, directions[labels], labels)
        trained_on = np.repeat(np.arange(4), COUNTS)
        training = _Known(model, directions[trained_on], trained_on)
        whole = Loaded(
            model,
            config,
            build(config, ("a", "b", "c", "d")).input,
            tuple(images.classes),
            COUNTS,
            0.0,
        )
        folder = RunFolder(tmp_path)
        save_state(folder.best, model_state(whole))
        result = finish(whole, validation, images, lambda: training, folder)
        (final,) = MetricLog(folder.metrics)
        assert result == {name: final["scores"][name] for name in result}
        return final, load_state(folder.best), training

    return run


def test_a_head_that_is_better_is_kept(finished: Finishing, tmp_path: Path) -> None:
    final, state, _ = finished(good_head=False, two_stage="crt")
    assert final["two_stage"] == "crt" and final["scores"]["macro_f1"] == 1.0
    assert state["model"]["head.weight"].any()
    assert not state["trained_head"]["weight"].any()
    answers = load_logits(RunFolder(tmp_path).logits)
    assert (answers.logits.argmax(axis=1) == answers.labels).all()


@pytest.mark.parametrize("stage", ["crt", "tau-norm"])
def test_a_head_that_is_not_better_is_not_kept(finished: Finishing, stage: str) -> None:
    final, state, _ = finished(good_head=True, two_stage=stage)
    assert final["two_stage"] == "none"
    assert torch.equal(state["model"]["head.weight"], state["trained_head"]["weight"])


def test_without_a_second_stage_no_training_image_is_looked_at(finished: Finishing) -> None:
    final, _, training = finished(good_head=False)
    assert final["two_stage"] == "none" and training.asked == 0


def test_tau_is_the_searchs_and_is_in_the_checkpoint(finished: Finishing, tmp_path: Path) -> None:
    final, state, _ = finished(good_head=False)
    answers = load_logits(RunFolder(tmp_path).logits)
    found = choose_tau(answers.logits, answers.labels, COUNTS, "macro_f1")
    assert final["tau"] == state["tau"] == found.tau
    moved = score(adjusted(answers.logits, COUNTS, found.tau), answers.labels, COUNTS)
    assert final["scores"] == moved.headline()
    assert final["scores_before"] == score(answers.logits, answers.labels, COUNTS).headline()
    assert set(final["scores_cross_fitted"]) == set(final["scores"])
    assert final["scores"]["macro_f1"] >= final["scores_before"]["macro_f1"]


def test_without_adjustment_tau_is_0(finished: Finishing) -> None:
    final, state, _ = finished(good_head=False, adjust=False)
    assert final["tau"] == state["tau"] == 0.0
    assert final["scores"] == final["scores_before"] and "scores_cross_fitted" not in final


def test_images_are_named_in_the_order_of_their_answers(
    finished: Finishing, images: fastload.ImageFolder, tmp_path: Path
) -> None:
    finished(good_head=True)
    answers = load_logits(RunFolder(tmp_path).logits)
    assert [images.classes[label] for label in answers.labels] == [
        path.split("/")[0] for path in answers.paths
    ]
    paths = images.pack.index.paths(answers.records)
    assert list(answers.paths) == list(paths)


def test_figures_are_plain_json(finished: Finishing, tmp_path: Path) -> None:
    finished(good_head=True)
    (line,) = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line)["kind"] == "final"


def test_protocols_hold() -> None:
    known: Answers = _Known(None, np.zeros((1, 1)), np.zeros(1))
    assert known.features()[0].shape == (1, 1)
