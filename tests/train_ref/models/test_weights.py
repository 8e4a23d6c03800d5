"""Files of weights: as trainers save them, of other classes, of other sizes, damaged."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from train_ref.config import Config
from train_ref.errors import TrainError
from train_ref.models import build
from train_ref.models.loading import fill
from train_ref.models.weights import read_weights

pytest.importorskip("timm", minversion="1.0.12", reason="no timm (extra: train)")

CLASSES = ("a", "b", "c")


def library_state(classes: int = 3) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    state: dict[str, torch.Tensor] = torchvision.models.mobilenet_v3_small(
        num_classes=classes
    ).state_dict()
    return state


def saved(path: Path, content: Any) -> Config:
    torch.save(content, path)
    return Config(model="mobilenet_v3_small", weights=str(path))


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return library_state()


def prefixed(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {"state_dict": prefixed(state, "module._orig_mod.")}},
        lambda state: {"state_dict": prefixed(state, "model.module.")},
        lambda state: {name: tensor.half() for name, tensor in state.items()},
    ],
    ids=["plain", "nested", "twice nested, compiled and wrapped", "lightning", "half precision"],
)
def test_the_network_of_the_file_is_the_network_that_is_built(
    tmp_path: Path, state: dict[str, torch.Tensor], wrap: Any
) -> None:
    built = build(saved(tmp_path / "w.pt", wrap(state)), CLASSES)
    oracle = torchvision.models.mobilenet_v3_small(num_classes=3)
    oracle.load_state_dict(state)
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(
        built.model.eval()(images), oracle.eval()(images), rtol=1e-2, atol=2e-3
    )
    # Untrained, it answers nearly the same to all images: every tensor is compared as well.
    found = built.model.state_dict()
    for name, tensor in state.items():
        ours = f"head.{name[13:]}" if name.startswith("classifier.3.") else f"body.{name}"
        torch.testing.assert_close(found.pop(ours), tensor, rtol=1e-3, atol=1e-6)
    assert not found
    assert built.origin == f"mobilenet_v3_small with the weights of {tmp_path / 'w.pt'}."


def test_safetensors_are_read(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    model = build(Config(model="mobilenet_v3_small", weights=str(path)), CLASSES).model
    assert torch.equal(model.head.weight, state["classifier.3.weight"])
    assert torch.equal(
        model.get_parameter("body.features.0.0.weight"), state["features.0.0.weight"]
    )


def test_a_head_for_other_classes_is_new_and_said_so(tmp_path: Path) -> None:
    state = library_state(classes=7)
    config = saved(tmp_path / "w.pt", state)
    built = build(config, CLASSES)
    assert built.origin.endswith("w.pt, with a new head for 3 classes as theirs is for 7.")
    assert built.model.head.weight.shape == (3, 1024)
    assert torch.equal(
        built.model.get_parameter("body.classifier.0.weight"), state["classifier.0.weight"]
    )
    scratch = build(config.replace(weights=None, pretrained=False), CLASSES).model
    assert torch.equal(built.model.head.weight, scratch.head.weight)


def test_a_file_without_a_head_gets_one(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    body = {name: tensor for name, tensor in state.items() if "classifier.3" not in name}
    built = build(saved(tmp_path / "w.pt", body), CLASSES)
    assert "new head for 3 classes as there is none among the weights" in built.origin


@pytest.mark.parametrize(
    ("classes", "kept"), [(("a", "b", "c"), True), (("a", "c", "b"), False), (("a", "b"), False)]
)
def test_a_checkpoints_head_is_kept_for_its_classes_alone(
    tmp_path: Path, classes: tuple[str, ...], kept: bool
) -> None:
    trained = build(Config(model="tiny", seed=9), CLASSES).model
    content = {"model": trained.state_dict(), "classes": list(CLASSES), "step": 3}
    torch.save(content, tmp_path / "best.pt")
    built = build(Config(model="tiny", weights=str(tmp_path / "best.pt")), classes)
    assert torch.equal(
        built.model.get_parameter("body.conv0.0.weight"),
        trained.get_parameter("body.conv0.0.weight"),
    )
    assert ("new head" not in built.origin) is kept
    same = built.model.head.weight.shape == trained.head.weight.shape and torch.equal(
        built.model.head.weight, trained.head.weight
    )
    assert same is kept


def test_what_does_not_fit_is_told_by_name(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    wrong = dict(state)
    del wrong["features.0.0.weight"]
    wrong["features.99.weight"] = torch.zeros(2)
    wrong["features.0.1.bias"] = torch.zeros(3)
    with pytest.raises(TrainError) as caught:
        build(saved(tmp_path / "w.pt", wrong), CLASSES)
    told = str(caught.value)
    assert "missing: body.features.0.0.weight" in told
    assert "unexpected: body.features.99.weight" in told
    assert "of another shape: body.features.0.1.bias (3,) instead of (16,)" in told


def test_the_weights_of_another_model_are_refused_in_few_words(tmp_path: Path) -> None:
    config = saved(tmp_path / "w.pt", library_state()).replace(model="resnet18")
    with pytest.raises(TrainError, match=r"missing: .* and \d+ more; unexpected: .* and \d+ more"):
        build(config, CLASSES)


def test_counts_of_batches_may_be_missing(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    old = {n: tensor for n, tensor in state.items() if not n.endswith("num_batches_tracked")}
    model = build(saved(tmp_path / "w.pt", old), CLASSES).model
    assert torch.equal(model.head.bias, state["classifier.3.bias"])


def test_a_vision_transformers_positions_are_fitted_to_the_image_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    whole = build(Config(model="timm:test_vit", pretrained=False), CLASSES)
    path = tmp_path / "vit.pt"
    torch.save({"model": whole.model.state_dict(), "classes": list(CLASSES)}, path)
    small = build(Config(model="timm:test_vit", weights=str(path), image_size=80), CLASSES)
    before, after = (one.model.get_parameter("body.pos_embed") for one in (whole, small))
    assert (before.shape[1], after.shape[1]) == (1 + 10 * 10, 1 + 5 * 5)
    assert torch.equal(before[:, 0], after[:, 0])
    assert "new head" not in small.origin
    # Names as timm has them go through timm's own translation, with the same positions.
    names = {
        name.removeprefix("body."): tensor for name, tensor in whole.model.state_dict().items()
    }
    torch.save(names, path)
    again = build(Config(model="timm:test_vit", weights=str(path), image_size=80), CLASSES)
    torch.testing.assert_close(again.model.get_parameter("body.pos_embed"), after)


def test_torchvisions_positions_are_fitted_by_their_name_and_all_else_is_loaded() -> None:
    trained, net = (torchvision.models.VisionTransformer(s, 16, 1, 2, 8, 8) for s in (64, 96))
    fill(net, trained.state_dict())
    before, after = trained.encoder.pos_embedding, net.encoder.pos_embedding
    assert (before.shape, after.shape) == ((1, 17, 8), (1, 37, 8))
    assert torch.equal(before[:, 0], after[:, 0])
    # The middle of four patches has the mean of their positions, whatever the grid.
    torch.testing.assert_close(before[:, 1:].mean(1), after[:, 1:].mean(1), atol=1e-3, rtol=0)
    assert torch.equal(trained.heads.head.weight, net.heads.head.weight)
    assert torch.equal(trained.class_token, net.class_token)


class Harmful:
    """Would write a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    torch.save({"state_dict": Harmful(touched)}, tmp_path / "w.pt")
    with pytest.raises(TrainError, match="no file of tensors alone"):
        read_weights(tmp_path / "w.pt")
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(Harmful(touched), protocol=2))
    with pytest.raises(TrainError, match="no file of tensors alone"):
        read_weights(tmp_path / "w.pkl")
    assert not touched.exists()


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights at all", b"\x80\x02}q\x00."])
def test_what_is_no_file_of_weights_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TrainError, match=name):
        read_weights(tmp_path / name)


def test_a_cut_file_is_told(tmp_path: Path) -> None:
    torch.save(nn.Linear(4, 4).state_dict(), tmp_path / "w.pt")
    whole = (tmp_path / "w.pt").read_bytes()
    (tmp_path / "w.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TrainError, match=r"w\.pt"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [torch.zeros(2)], {"model": {"lr": 1.0}}])
def test_a_file_without_a_state_dict_is_told(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(TrainError, match="no state dict"):
        read_weights(tmp_path / "w.pt")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="no such file"):
        build(Config(model="tiny", weights=str(tmp_path / "none.pt")), CLASSES)


@pytest.mark.parametrize("name", ["tiny", "resnet18", "timm:test_vit"])
def test_a_models_whole_state_goes_round(name: str) -> None:
    """A checkpoint's model fits one that was built without its weights."""
    one, other = (
        build(Config(model=name, pretrained=False, seed=seed), CLASSES).model.eval()
        for seed in (1, 2)
    )
    images = torch.randn(1, 3, 160, 160)
    assert not torch.allclose(one.features(images), other.features(images))
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(images), other(images))
    assert torch.equal(one.features(images), other.features(images))
