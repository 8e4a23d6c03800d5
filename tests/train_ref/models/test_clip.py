"""CLIP against open_clip itself, with a model small enough to be made here."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from train_ref.config import Config
from train_ref.errors import TrainError
from train_ref.models import build, download
from train_ref.optimizer import make_optimizer

open_clip = pytest.importorskip("open_clip", reason="no open_clip (extra: clip)")

CLASSES = ("crack", "blow hole", "피스")
SMALL: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 16,
        "heads": 2,
        "layers": 1,
    },
}


@pytest.fixture(scope="module", autouse=True)
def small_models(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("architectures")
    biased = SMALL | {"init_logit_bias": -10.0, "custom_text": True}
    for name, config in (("small-clip", SMALL), ("small-biased-clip", biased)):
        (folder / f"{name}.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder)


@pytest.fixture(params=["small-clip", "small-biased-clip"])
def trained(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, Config]:
    """A whole model of open_clip, and settings with its weights."""
    torch.manual_seed(7)
    net = open_clip.create_model(request.param)
    torch.save(net.state_dict(), tmp_path / "clip.pt")
    config = Config(model=f"clip:{request.param}", weights=str(tmp_path / "clip.pt"))
    return net.eval(), config


def images_of(side: int = 32) -> torch.Tensor:
    return torch.randn(4, 3, side, side, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
@pytest.mark.parametrize("mode", ["zero-shot", "linear-probe", "fine-tune"])
def test_before_any_step_it_answers_as_open_clip(trained: tuple[Any, Config], mode: str) -> None:
    net, config = trained
    built = build(config.replace(clip_mode=mode), CLASSES)
    tokens = open_clip.get_tokenizer("small-clip")([f"a photo of a {name}." for name in CLASSES])
    expected, _ = net.get_logits(images_of(), tokens)
    torch.testing.assert_close(built.model.eval()(images_of()), expected)
    assert built.origin.endswith("clip.pt, its head made of sentences.")


@torch.no_grad()
def test_sentences_of_a_class_are_averaged_as_directions(
    trained: tuple[Any, Config], tmp_path: Path
) -> None:
    net, config = trained
    (tmp_path / "prompts.txt").write_text("crack: a fissure.\ncrack: broken.\na {}.", "utf-8")
    built = build(config.replace(prompts=str(tmp_path / "prompts.txt")), CLASSES)
    tokenize = open_clip.get_tokenizer("small-clip")

    def direction(sentence: str) -> torch.Tensor:
        return net.encode_text(tokenize([sentence]), normalize=True)[0]

    rows = [
        F.normalize(direction("a fissure.") + direction("broken."), dim=0),
        direction("a blow hole."),
        direction("a 피스."),
    ]
    expected = net.logit_scale.exp() * torch.stack(rows)
    torch.testing.assert_close(built.model.head.weight, expected)


@torch.no_grad()
def test_many_sentences_go_through_the_text_tower_in_parts(
    trained: tuple[Any, Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, config = trained
    whole = build(config, CLASSES).model.head.weight
    monkeypatch.setattr("train_ref.models.clip_models.SENTENCES_AT_ONCE", 2)
    torch.testing.assert_close(build(config, CLASSES).model.head.weight, whole)


def test_features_have_length_one(trained: tuple[Any, Config]) -> None:
    model = build(trained[1], CLASSES).model
    lengths = model.features(images_of()).norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(4))


@pytest.mark.parametrize(
    ("mode", "frozen"), [("zero-shot", True), ("linear-probe", True), ("fine-tune", False)]
)
def test_a_probe_learns_its_head_alone(
    trained: tuple[Any, Config], mode: str, frozen: bool
) -> None:
    built = build(trained[1].replace(clip_mode=mode), CLASSES)
    assert built.frozen_body is frozen
    assert all(one.requires_grad is not frozen for one in built.model.body.parameters())
    before = {name: one.detach().clone() for name, one in built.model.named_parameters()}
    optimizer = make_optimizer(built.model, Config(lr=0.1))
    F.cross_entropy(built.model(images_of()), torch.tensor([0, 1, 2, 0])).backward()
    optimizer.step()
    moved = {
        name for name, one in built.model.named_parameters() if not torch.equal(one, before[name])
    }
    assert {"head.weight", "head.bias"} <= moved
    assert any(name.startswith("body.") for name in moved) is not frozen


def test_only_the_image_tower_is_kept(trained: tuple[Any, Config]) -> None:
    names = build(trained[1], CLASSES).model.state_dict()
    assert all(name.startswith(("body.visual.", "head.")) for name in names)


def test_positions_are_fitted_to_the_image_size(trained: tuple[Any, Config]) -> None:
    net, config = trained
    built = build(config.replace(image_size=48), CLASSES)
    assert built.input.size == 48
    positions = built.model.get_parameter("body.visual.positional_embedding")
    assert positions.shape == (1 + 6 * 6, 32)
    assert torch.equal(positions[0], net.visual.positional_embedding[0])
    assert built.model(images_of(48)).shape == (4, 3)


def test_a_checkpoint_of_its_own_is_a_start_for_other_classes(
    trained: tuple[Any, Config], tmp_path: Path
) -> None:
    one = build(trained[1], CLASSES).model
    path = tmp_path / "best.pt"
    torch.save({"model": one.state_dict(), "classes": list(CLASSES)}, path)
    config = trained[1].replace(weights=str(path))
    again = build(config, CLASSES)
    assert torch.equal(again.model.eval()(images_of()), one.eval()(images_of()))
    other = build(config, ("a", "b"))
    assert "new head for 2 classes" in other.origin
    assert torch.equal(other.model.features(images_of()), one.features(images_of()))


def test_from_scratch_it_has_a_head_of_clips_scale_and_says_so() -> None:
    config = Config(model="clip:small-clip")
    built = build(config, CLASSES)
    assert built.origin == "clip:small-clip from scratch: there are no weights to download."
    lengths = built.model.head.weight.norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((3,), 1 / 0.07))
    again = build(config, CLASSES).model.state_dict()
    assert all(torch.equal(again[name], one) for name, one in built.model.state_dict().items())


def test_images_are_what_the_weights_were_trained_with() -> None:
    config = Config(model="clip:ViT-B-32", pretrained=False)
    wanted = build(config, CLASSES).input
    assert (wanted.size, wanted.interpolation, wanted.crop_share) == (224, "bicubic", 1.0)
    assert wanted.mean == open_clip.OPENAI_DATASET_MEAN
    assert wanted.std == open_clip.OPENAI_DATASET_STD


@pytest.mark.parametrize(
    ("name", "tag", "quick"),
    [
        ("ViT-B-32", "datacomp_xl_s13b_b90k", False),
        ("ViT-B-32:openai", "openai", True),
        ("ViT-B-32-quickgelu", "openai", True),
        ("ViT-H-14", "laion2b_s32b_b79k", False),
        ("RN50", "openai", True),
    ],
)
def test_the_tag_of_the_weights_says_their_activation(name: str, tag: str, quick: bool) -> None:
    from train_ref.models.clip_models import _parse

    _, known = _parse(open_clip, name)
    assert known["tag"] == tag
    assert known.get("quick_gelu", False) is quick


def test_weights_of_the_hub_are_asked_for_and_their_lack_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(download, "_answers", lambda url: False)
    origin = build(Config(model="clip:ViT-B-32"), CLASSES).origin
    assert origin == "clip:ViT-B-32 from scratch: huggingface.co does not answer."


@pytest.mark.parametrize(
    ("name", "message"),
    [("ViT-B-33", "Is it ViT-B-32"), ("ViT-B-32:mine", "no weights 'mine'.*openai")],
)
def test_what_open_clip_has_not_is_told(name: str, message: str) -> None:
    with pytest.raises(TrainError, match=message):
        build(Config(model=f"clip:{name}"), CLASSES)


def test_open_clips_warnings_of_random_weights_are_left_to_the_origin(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        build(Config(model="clip:small-clip"), CLASSES)
    assert not caplog.records
    assert logging.root.manager.disable == logging.NOTSET
