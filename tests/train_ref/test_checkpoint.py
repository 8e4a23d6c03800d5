"""Checkpoints: nothing in them runs, what is damaged or another's is one message."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from train_ref.checkpoint import Loaded, load_model, load_state, model_state, save_state
from train_ref.config import Config
from train_ref.errors import TrainError
from train_ref.models import build

CPU = torch.device("cpu")
CLASSES = ("훼손", "창틀,문틀수정")


@pytest.fixture
def loaded() -> Loaded:
    config = Config(model="tiny", dropout=0.1, progressive=("0:16",), seed=4)
    built = build(config, CLASSES)
    return Loaded(built.model, config, built.input, CLASSES, np.array([9, 2]), 0.75)


def test_what_was_saved_is_loaded(loaded: Loaded, tmp_path: Path) -> None:
    save_state(tmp_path / "x.pt", model_state(loaded))
    again = load_model(tmp_path / "x.pt", CPU)
    torch.testing.assert_close(again.model.state_dict(), loaded.model.state_dict(), rtol=0, atol=0)
    assert not again.model.training
    assert (again.config, again.input, again.classes) == (loaded.config, loaded.input, CLASSES)
    assert again.counts.tolist() == [9, 2] and again.tau == 0.75
    assert [path.name for path in tmp_path.iterdir()] == ["x.pt"]


class _Runs:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("it-ran"),))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no checkpoint that can be read"),
        (b"PK\x03\x04 damaged", "no checkpoint that can be read"),
        (pickle.dumps(_Runs(), protocol=2), "no checkpoint that can be read"),
    ],
)
def test_what_is_no_checkpoint_is_one_message(
    tmp_path: Path, content: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.pt").write_bytes(content)
    with pytest.raises(TrainError, match=words):
        load_state(Path("x.pt"))
    assert not Path("it-ran").exists()


def test_weights_of_others_are_told_from_a_checkpoint(tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "x.pt")
    with pytest.raises(TrainError, match=r"no checkpoint of train_ref.*--weights"):
        load_state(tmp_path / "x.pt")
    with pytest.raises(TrainError, match="There is no checkpoint"):
        load_state(tmp_path / "gone.pt")


def test_a_disk_that_is_full_leaves_the_checkpoint_before(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_state(tmp_path / "x.pt", model_state(loaded))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainError, match=r"No space left.*as it was"):
        save_state(tmp_path / "x.pt", {**model_state(loaded), "tau": 9.0})
    assert load_state(tmp_path / "x.pt")["tau"] == 0.75
    assert [path.name for path in tmp_path.iterdir()] == ["x.pt"]


def test_a_checkpoint_of_another_model_is_one_message(loaded: Loaded, tmp_path: Path) -> None:
    state = model_state(loaded)
    state["model"].pop("head.bias")
    save_state(tmp_path / "x.pt", state)
    with pytest.raises(TrainError, match=r"does not fit the model tiny.*head\.bias"):
        load_model(tmp_path / "x.pt", CPU)
