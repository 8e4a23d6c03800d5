"""Which parameters decay, and how optimizers move."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from train_ref.config import Config
from train_ref.errors import TrainError
from train_ref.models import build
from train_ref.optimizer import make_optimizer, peak_lr


class Everything(nn.Module):
    """One of each kind of parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.wide_norm = nn.LayerNorm((4, 5, 5))
        self.position = nn.Parameter(torch.zeros(1, 9, 4))
        self.scale = nn.Parameter(torch.ones(()))
        self.frozen = nn.Linear(4, 4)
        self.frozen.requires_grad_(False)
        self.head = nn.Linear(4, 2)
        self.tied = self.head


def names_of(model: nn.Module, parameters: list[nn.Parameter]) -> set[str]:
    wanted = {id(one) for one in parameters}
    return {name for name, one in model.named_parameters() if id(one) in wanted}


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_weights_decay_and_norms_biases_and_scalars_do_not(optimizer: str) -> None:
    model = Everything()
    decaying, plain = make_optimizer(model, Config(optimizer=optimizer)).param_groups
    assert names_of(model, decaying["params"]) == {"conv.weight", "position", "head.weight"}
    assert names_of(model, plain["params"]) == {
        "conv.bias",
        "norm.weight",
        "norm.bias",
        "wide_norm.weight",
        "wide_norm.bias",
        "scale",
        "head.bias",
    }
    assert decaying["weight_decay"] > 0
    assert plain["weight_decay"] == 0


@pytest.mark.parametrize(("optimizer", "lr", "decay"), [("adamw", 1e-3, 0.05), ("sgd", 0.05, 5e-4)])
def test_settings_left_out_suit_the_optimizer(optimizer: str, lr: float, decay: float) -> None:
    made = make_optimizer(nn.Linear(2, 2), Config(optimizer=optimizer))
    assert made.param_groups[0]["lr"] == lr == peak_lr(Config(optimizer=optimizer))
    assert made.param_groups[0]["weight_decay"] == decay


def test_settings_of_the_user_are_taken_zero_too() -> None:
    config = Config(optimizer="sgd", lr=0.0, weight_decay=0.0, momentum=0.0)
    group = make_optimizer(nn.Linear(2, 2), config).param_groups[0]
    assert (group["lr"], group["weight_decay"], group["momentum"]) == (0.0, 0.0, 0.0)
    assert not group["nesterov"]


def test_a_step_of_sgd_is_the_one_computed_by_hand() -> None:
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, 2.0)
    nn.init.constant_(model.bias, 3.0)
    config = Config(optimizer="sgd", lr=0.1, weight_decay=0.5, momentum=0.9)
    optimizer = make_optimizer(model, config)
    model(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    # Gradient 1, decay 0.5 * 2 on the weight alone; Nesterov's first step is 1.9 gradients.
    assert model.weight.item() == pytest.approx(2.0 - 0.1 * 1.9 * (1.0 + 1.0))
    assert model.bias.item() == pytest.approx(3.0 - 0.1 * 1.9 * 1.0)


def test_every_parameter_of_a_model_is_in_one_group() -> None:
    model = build(Config(model="small_resnet"), ("a", "b")).model
    groups = make_optimizer(model, Config()).param_groups
    given = [id(one) for group in groups for one in group["params"]]
    assert sorted(given) == sorted(id(one) for one in model.parameters())


def test_a_state_goes_on_to_the_bit_and_holds_tensors_alone(tmp_path) -> None:
    def steps(model: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            model(torch.ones(4, 3)).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()

    torch.manual_seed(0)
    one, other = nn.Linear(3, 3), nn.Linear(3, 3)
    first, second = make_optimizer(one, Config()), make_optimizer(other, Config())
    steps(one, first, 3)
    torch.save({"model": one.state_dict(), "optimizer": first.state_dict()}, tmp_path / "state.pt")
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    other.load_state_dict(saved["model"])
    second.load_state_dict(saved["optimizer"])
    steps(one, first, 2)
    steps(other, second, 2)
    assert torch.equal(one.weight, other.weight)


def test_a_model_in_which_nothing_learns_is_refused() -> None:
    with pytest.raises(TrainError, match="No parameter"):
        make_optimizer(nn.Linear(2, 2).requires_grad_(False), Config())
