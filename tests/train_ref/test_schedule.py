"""Learning rates against torch's own and against cases computed by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from train_ref.config import CHOICES, Config
from train_ref.schedule import Schedule


def optimizer_of(kind: str) -> torch.optim.Optimizer:
    parameters = [nn.Parameter(torch.zeros(2))]
    if kind == "sgd":
        return torch.optim.SGD(parameters, lr=1.0, momentum=0.9)
    return torch.optim.AdamW(parameters, lr=1.0)


@pytest.mark.parametrize("kind", ["adamw", "sgd"])
@pytest.mark.parametrize(("epochs", "steps"), [(1, 7), (10, 10), (3, 41)])
def test_one_cycle_is_torchs(kind: str, epochs: int, steps: int) -> None:
    config = Config(schedule="one-cycle", optimizer=kind, lr=0.3, epochs=epochs)
    schedule, ours, theirs = Schedule(config, steps), optimizer_of(kind), optimizer_of(kind)
    oracle = torch.optim.lr_scheduler.OneCycleLR(theirs, 0.3, total_steps=epochs * steps)
    for step in range(epochs * steps):
        assert schedule.apply(ours, step) == pytest.approx(theirs.param_groups[0]["lr"])
        for key in ("lr", "momentum" if kind == "sgd" else "betas"):
            assert ours.param_groups[0][key] == pytest.approx(theirs.param_groups[0][key])
        theirs.step()
        if step < epochs * steps - 1:
            oracle.step()


def test_cosine_is_warmed_up_and_falls_as_torchs() -> None:
    schedule = Schedule(Config(lr=0.2, epochs=10, warmup=2), steps_per_epoch=5)
    assert [schedule.lr_at(step) for step in range(10)] == pytest.approx(
        [0.2 * (step + 1) / 11 for step in range(10)]
    )
    optimizer = optimizer_of("sgd")
    optimizer.param_groups[0]["lr"] = 0.2
    oracle = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
    for step in range(10, 50):
        assert schedule.lr_at(step) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        oracle.step()


def test_constant_stays_after_its_warm_up() -> None:
    schedule = Schedule(Config(schedule="constant", lr=0.3, epochs=2, warmup=0.5), 4)
    assert [schedule.lr_at(step) for step in range(8)] == pytest.approx([0.1, 0.2] + [0.3] * 6)


def test_momentum_stays_where_nothing_cycles() -> None:
    optimizer = optimizer_of("sgd")
    Schedule(Config(optimizer="sgd", momentum=0.7), 4).apply(optimizer, 3)
    assert optimizer.param_groups[0]["momentum"] == 0.9
    unmoved = Config(optimizer="sgd", momentum=0.0, schedule="one-cycle")
    assert Schedule(unmoved, 4).momentum_at(2) is None


@given(
    schedule=st.sampled_from(CHOICES["schedule"]),
    epochs=st.integers(0, 5),
    steps=st.integers(1, 9),
    warmup=st.floats(0, 8),
)
def test_rates_lie_between_zero_and_the_highest_and_all_steps_do_something(
    schedule: str, epochs: int, steps: int, warmup: float
) -> None:
    made = Schedule(Config(schedule=schedule, epochs=epochs, warmup=warmup, lr=0.1), steps)
    rates = [made.lr_at(step) for step in range(epochs * steps + 3)]
    assert all(0 < rate <= 0.1 and math.isfinite(rate) for rate in rates)
    # Behind the end the last step's rate stays.
    assert len(set(rates[max(epochs * steps - 1, 0) :])) == 1


@given(warmup=st.floats(0, 3), steps=st.integers(1, 20))
def test_cosine_rises_once_and_then_falls(warmup: float, steps: int) -> None:
    made = Schedule(Config(epochs=4, warmup=warmup, lr=1.0), steps)
    rates = [made.lr_at(step) for step in range(4 * steps)]
    top = rates.index(max(rates))
    assert top == min(round(warmup * steps), 4 * steps - 1)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
