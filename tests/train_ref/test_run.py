"""Runs of other kinds than the plain one, and what each says of itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fastload
from tests.conftest import write_label_folder
from tests.train_ref.conftest import figures, trained
from train_ref import evaluation
from train_ref.checkpoint import load_model, load_state
from train_ref.config import Config
from train_ref.data import evaluation_loader, open_parts
from train_ref.errors import TrainError
from train_ref.evaluation import predict_features, predict_logits
from train_ref.models import build
from train_ref.run_folder import RunFolder, load_logits

pytestmark = pytest.mark.filterwarnings("ignore:Images of|An epoch leaves out")

CPU = torch.device("cpu")
TOWERS: dict[str, Any] = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 8, "heads": 1, "layers": 1},
}


@pytest.fixture(scope="module")
def clip(quick: Config, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Settings with the weights of a whole CLIP model that is small enough to be made here."""
    open_clip = pytest.importorskip("open_clip", reason="no open_clip (extra: clip)")
    folder = tmp_path_factory.mktemp("clip")
    (folder / "run-clip.json").write_text(json.dumps(TOWERS))
    open_clip.add_model_config(folder / "run-clip.json")
    torch.manual_seed(1)
    torch.save(open_clip.create_model("run-clip").state_dict(), folder / "clip.pt")
    return quick.replace(model="clip:run-clip", weights=str(folder / "clip.pt"))


def test_zero_shot_validates_what_nobody_has_trained(clip: Config, tmp_path: Path) -> None:
    config = clip.replace(clip_mode="zero-shot", adjust=False)
    trained(config, tmp_path)
    assert [line["kind"] for line in figures(tmp_path)] == ["final"]
    val = open_parts(config).val
    assert val is not None
    built = build(config, tuple(val.classes))
    loader = evaluation_loader(val, config, built.input)
    logits, _ = predict_logits(built.model, loader, built.input, CPU)
    np.testing.assert_array_equal(load_logits(RunFolder(tmp_path).logits).logits, logits)
    # Its checkpoint needs neither the weights' file nor the prompts.
    again = load_model(tmp_path / "best.pt", CPU)
    torch.testing.assert_close(again.model.state_dict(), built.model.state_dict())


def test_a_probe_computes_features_once_and_learns_the_head_alone(
    clip: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    plain = evaluation.predict_features

    def counting(*arguments: Any, **more: Any) -> Any:
        features, labels = plain(*arguments, **more)
        asked.append(len(features))
        return features, labels

    monkeypatch.setattr(evaluation, "predict_features", counting)
    config = clip.replace(clip_mode="linear-probe", epochs=3, lr=0.1, ema=0.5, two_stage="crt")
    trained(config, tmp_path)
    assert sorted(asked) == [5, 17]
    before = build(config, ("ant", "bee", "cat", "dog")).model.state_dict()
    after = load_state(tmp_path / "best.pt")["model"]
    for name, weights in after.items():
        assert torch.equal(weights, before[name]) == name.startswith("body.")
    kinds = [line["kind"] for line in figures(tmp_path)]
    assert kinds == (["step"] * 4 + ["epoch"]) * 3 + ["final"]


def test_a_probe_goes_on_to_the_bit(
    clip: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train_ref import training

    config = clip.replace(clip_mode="linear-probe", save_every=1, dropout=0.2, balance="sqrt")
    plain = training.save_state

    def save(path: Path, state: dict[str, Any]) -> None:
        plain(path, state)
        if path.name == "last.pt" and state["step"] == 6:
            shutil.copytree(path.parent, tmp_path / "killed")

    monkeypatch.setattr(training, "save_state", save)
    trained(config, tmp_path / "whole")
    monkeypatch.undo()
    trained(config, tmp_path / "killed", goes_on=True)
    assert figures(tmp_path / "killed") == figures(tmp_path / "whole")


def test_without_epochs_the_model_is_validated_as_it_is(quick: Config, tmp_path: Path) -> None:
    assert set(trained(quick.replace(epochs=0), tmp_path)) == {
        "macro_f1",
        "weighted_f1",
        "balanced_accuracy",
        "accuracy",
    }
    assert not (tmp_path / "last.pt").exists() and (tmp_path / "best.pt").exists()


def test_validation_data_of_its_own_is_said(
    quick: Config, small_pack: Path, tmp_path: Path
) -> None:
    val = tmp_path / "val.pack"
    shutil.copytree(small_pack, val)
    trained(quick.replace(val_data=str(val), epochs=1), tmp_path / "run")
    facts = RunFolder(tmp_path / "run").read_facts()
    assert (facts["val_data"], facts["split"]) == (str(val), None)
    assert facts["counts"] == facts["val_counts"] == [9, 6, 2, 5]


def test_a_run_does_not_go_on_with_other_images(quick: Config, tmp_path: Path) -> None:
    pack = fastload.pack(write_label_folder(tmp_path / "a", {"x": 4, "y": 4})).path
    config = quick.replace(data=str(pack), epochs=1, val=0.0)
    trained(config, tmp_path / "run")
    facts = (tmp_path / "run" / "run.json").read_bytes()
    trained(config, tmp_path / "run", goes_on=True)
    assert (tmp_path / "run" / "run.json").read_bytes() == facts
    fastload.append(pack, write_label_folder(tmp_path / "b", {"x": 1, "y": 1}, seed=1))
    with pytest.raises(TrainError, match="other images than when"):
        trained(config, tmp_path / "run", goes_on=True)


def test_sizes_that_a_model_does_not_take_are_said_at_once(quick: Config, tmp_path: Path) -> None:
    config = quick.replace(model="vit_b_16", image_size=32, pretrained=False)
    with pytest.raises(TrainError, match="--progressive: vit_b_16 takes no images of 48 pixels"):
        trained(config.replace(progressive=("0:48",)), tmp_path / "run")


def test_features_and_logits_are_of_one_model(quick: Config) -> None:
    parts = open_parts(quick)
    built = build(quick, parts.classes)
    loader = evaluation_loader(parts.train, quick, built.input)
    built.model.train()
    features, labels = predict_features(built.model, loader, built.input, CPU)
    logits, again = predict_logits(built.model, loader, built.input, CPU)
    assert built.model.training, "it is left as it was"
    with torch.no_grad():
        expected = built.model.head(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-6)
    assert labels.tolist() == again.tolist() == list(parts.train.targets)
