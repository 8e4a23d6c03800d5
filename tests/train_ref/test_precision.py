"""Half precision on a CPU, and the step that comes with it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from train_ref.config import Config
from train_ref.precision import Precision

CPU = torch.device("cpu")


def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 2)


@pytest.mark.parametrize(
    ("amp", "name", "dtype"),
    [
        ("auto", "fp32", torch.float32),
        ("off", "fp32", torch.float32),
        ("bf16", "bf16", torch.bfloat16),
        ("fp16", "fp16", torch.float16),
    ],
)
def test_what_a_layer_computes_in(amp: str, name: str, dtype: torch.dtype) -> None:
    precision = Precision(Config(amp=amp), CPU)
    assert precision.name == name
    with precision.autocast():
        assert linear()(torch.ones(1, 3)).dtype == dtype


@pytest.mark.parametrize(("has_bf16", "name"), [(True, "bf16"), (False, "fp16")])
def test_auto_takes_bf16_where_the_gpu_has_it(
    monkeypatch: pytest.MonkeyPatch, has_bf16: bool, name: str
) -> None:
    asked = []

    def supported(including_emulation: bool = True) -> bool:
        asked.append(including_emulation)
        return has_bf16

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    monkeypatch.setattr(torch.amp, "GradScaler", lambda device, enabled: (device, enabled))
    precision = Precision(Config(), torch.device("cuda"))
    assert precision.name == name
    assert precision.scaler == ("cuda", name == "fp16")
    assert asked == [False]


@pytest.mark.parametrize("amp", ["off", "fp16"])
def test_a_step_is_the_plain_one(amp: str) -> None:
    ours, theirs = linear(), linear()
    precision = Precision(Config(amp=amp), CPU)
    optimizer = torch.optim.SGD(ours.parameters(), lr=0.5)
    precision.backward(ours(torch.ones(1, 3)).sum())
    norm = precision.step(optimizer, ours.parameters())
    theirs(torch.ones(1, 3)).sum().backward()
    torch.optim.SGD(theirs.parameters(), lr=0.5).step()
    torch.testing.assert_close(ours.weight, theirs.weight)
    # Six weights and two biases, each with gradient 1.
    assert norm.item() == pytest.approx(8**0.5)
    assert ours.weight.grad is None


@pytest.mark.parametrize("amp", ["off", "fp16"])
def test_gradients_are_cut_to_the_norm_after_they_are_unscaled(amp: str) -> None:
    model = linear()
    before = torch.cat([one.detach().clone().flatten() for one in model.parameters()])
    precision = Precision(Config(amp=amp), CPU)
    precision.backward(100 * model(torch.ones(1, 3)).sum())
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    norm = precision.step(optimizer, model.parameters(), clip_norm=0.25)
    moved = before - torch.cat([one.detach().flatten() for one in model.parameters()])
    assert norm.item() == pytest.approx(100 * 8**0.5)
    assert moved.norm().item() == pytest.approx(0.25, rel=1e-4)


def test_small_gradients_are_left_as_they_are() -> None:
    model = linear()
    before = model.bias.detach().clone()
    precision = Precision(Config(), CPU)
    precision.backward(model(torch.ones(1, 3)).sum())
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    precision.step(optimizer, model.parameters(), clip_norm=100.0)
    torch.testing.assert_close(before - model.bias.detach(), torch.ones(2))


def test_parts_add_up_to_the_whole_batch() -> None:
    images = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
    whole, parts = linear(), linear()
    precision = Precision(Config(), CPU)
    precision.backward(whole(images).square().mean())
    for part in images.chunk(3):
        precision.backward(parts(part).square().mean() / 3)
    torch.testing.assert_close(whole.weight.grad, parts.weight.grad)


def test_a_step_of_infinite_gradients_is_left_out_and_the_scale_halved() -> None:
    model = linear()
    before = model.weight.detach().clone()
    precision = Precision(Config(amp="fp16"), CPU)
    scale = precision.scaler.get_scale()
    precision.backward(model(torch.full((1, 3), float("inf"))).sum())
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    norm = precision.step(optimizer, model.parameters(), clip_norm=1.0)
    assert not torch.isfinite(norm)
    assert torch.equal(model.weight, before)
    assert precision.scaler.get_scale() == scale / 2


def test_the_scale_goes_on(tmp_path) -> None:
    precision = Precision(Config(amp="fp16"), CPU)
    model = linear()
    precision.backward(model(torch.full((1, 3), float("inf"))).sum())
    precision.step(torch.optim.SGD(model.parameters(), lr=1.0), model.parameters())
    torch.save(precision.state_dict(), tmp_path / "scaler.pt")
    resumed = Precision(Config(amp="fp16"), CPU)
    resumed.load_state_dict(torch.load(tmp_path / "scaler.pt", weights_only=True))
    assert resumed.scaler.get_scale() == precision.scaler.get_scale() == 2.0**15
    # A run without a scale has nothing to hand on.
    plain = Precision(Config(), CPU)
    assert plain.state_dict() == {}
    resumed.load_state_dict(plain.state_dict())
    assert resumed.scaler.get_scale() == 2.0**15
