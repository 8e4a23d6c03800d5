"""The average against a plain computation of it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from train_ref.config import Config
from train_ref.ema import Ema
from train_ref.errors import TrainError
from train_ref.models import build
from train_ref.models.classifier import Classifier


@pytest.fixture
def model() -> Classifier:
    return build(Config(model="tiny"), ("a", "b")).model


def train(model: nn.Module, steps: int, seed: int = 0) -> list[dict[str, torch.Tensor]]:
    """Move weights and BatchNorm's statistics; return them after each step."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    after = []
    for _ in range(steps):
        model(torch.randn(4, 3, 32, 32, generator=generator)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        after.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
    return after


@pytest.mark.parametrize("decay", [0.2, 0.9999])
def test_weights_and_statistics_are_averaged_as_the_formula_says(
    model: Classifier, decay: float
) -> None:
    expected = {name: tensor.double() for name, tensor in model.state_dict().items()}
    ema = Ema(model, decay)
    for step in range(1, 6):
        (now,) = train(model, 1, seed=step)
        ema.update(step)
        kept = min(decay, (1 + step) / (10 + step))
        for name, tensor in now.items():
            if tensor.is_floating_point():
                expected[name] = kept * expected[name] + (1 - kept) * tensor.double()
            else:
                expected[name] = tensor.double()
    averaged = ema.state_dict()
    assert averaged.keys() == expected.keys()
    for name, tensor in averaged.items():
        torch.testing.assert_close(tensor.double(), expected[name], rtol=1e-5, atol=1e-6)
    assert averaged["body.conv0.1.num_batches_tracked"] == 5
    mean = averaged["body.conv0.1.running_mean"]
    assert not torch.allclose(mean, now["body.conv0.1.running_mean"])


def test_swapped_answers_by_the_average_and_gives_the_weights_back_to_the_bit(
    model: Classifier,
) -> None:
    ema = Ema(model, 0.9)
    (before,) = train(model, 1)
    ema.update(1)
    places = [parameter.data_ptr() for parameter in model.parameters()]
    inside: dict[str, torch.Tensor] = {}

    def interrupted() -> None:
        with ema.swapped():
            inside.update((name, one.clone()) for name, one in model.state_dict().items())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    averaged = ema.state_dict()
    assert all(torch.equal(inside[name], averaged[name]) for name in averaged)
    assert not torch.equal(inside["head.weight"], before["head.weight"])
    after = model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert places == [parameter.data_ptr() for parameter in model.parameters()]


def test_a_state_goes_on_to_the_bit(model: Classifier, tmp_path) -> None:
    ema = Ema(model, 0.99)
    train(model, 1)
    ema.update(1)
    torch.save(ema.state_dict(), tmp_path / "ema.pt")
    resumed = Ema(model, 0.99)
    resumed.load_state_dict(torch.load(tmp_path / "ema.pt", weights_only=True))
    train(model, 1, seed=1)
    ema.update(2)
    resumed.update(2)
    one, other = ema.state_dict(), resumed.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_state_is_a_copy(model: Classifier) -> None:
    ema = Ema(model, 0.5)
    state = ema.state_dict()
    before = state["head.weight"].clone()
    train(model, 1)
    ema.update(1)
    assert torch.equal(state["head.weight"], before)
    assert not torch.equal(ema.state_dict()["head.weight"], before)


def test_the_state_of_another_model_is_refused(model: Classifier) -> None:
    other = build(Config(model="tiny"), ("a", "b", "c")).model
    with pytest.raises(TrainError, match="another model"):
        Ema(model, 0.5).load_state_dict(Ema(other, 0.5).state_dict())


def test_the_average_forgets_the_first_weights_soon() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    ema = Ema(model, 0.9999)
    nn.init.ones_(model.weight)
    for step in range(1, 101):
        ema.update(step)
    # Without the warm-up 0.99 of the first weights would be left after a hundred steps.
    assert ema.state_dict()["weight"].item() > 0.999
