"""Heads on frozen features: retrained on balanced epochs, or with norms divided out."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from train_ref.errors import TrainError
from train_ref.metrics import METRICS, score
from train_ref.two_stage import choose_tau_norm, retrain_head, tau_normalised

COUNTS = np.array([300, 40, 10])
CLASSES = ["common", "some", "rare"]
CENTRES = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 1.5]])


def clouds(counts: np.ndarray, seed: int) -> tuple[torch.Tensor, np.ndarray]:
    """Features that overlap, and their labels."""
    labels = np.repeat(np.arange(3), counts)
    noise = np.random.default_rng(seed).normal(0, 0.8, (len(labels), 2))
    return torch.from_numpy(CENTRES[labels] + noise).float(), labels


FEATURES, LABELS = clouds(COUNTS, 0)
VAL_FEATURES, VAL_LABELS = clouds(np.array([100, 100, 100]), 1)


def new_head(seed: int = 0, width: int = 2) -> nn.Linear:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return nn.Linear(width, 3)


def retrained(**settings: Any) -> nn.Linear:
    given: dict[str, Any] = {"epochs": 10, "lr": 0.05, "weight_decay": 0.0, "seed": 0}
    given |= {"init": new_head()} | settings
    return retrain_head(FEATURES, LABELS, CLASSES, **given)


def balanced_accuracy(head: nn.Linear) -> float:
    logits = head(VAL_FEATURES).detach()
    return score(logits, VAL_LABELS, COUNTS).balanced_accuracy


@pytest.fixture(scope="module")
def plain() -> nn.Linear:
    """A head of plain epochs."""
    return retrained(balance="none", epochs=30)


class TestRetraining:
    def test_balanced_epochs_win_the_rare_classes(self, plain: nn.Linear) -> None:
        assert balanced_accuracy(retrained(init=plain)) > balanced_accuracy(plain) + 0.15

    def test_it_finds_what_balanced_logistic_regression_finds(self) -> None:
        oracle = LogisticRegression(C=1e4, class_weight="balanced").fit(FEATURES, LABELS)
        head = retrained(epochs=60)
        answers = head(VAL_FEATURES).argmax(dim=1).numpy()
        assert (answers == oracle.predict(VAL_FEATURES)).mean() > 0.97
        slopes = head.weight.detach().numpy()
        np.testing.assert_allclose(slopes - slopes[0], oracle.coef_ - oracle.coef_[0], atol=0.5)

    def test_where_it_starts_does_not_matter_in_the_end(self, plain: nn.Linear) -> None:
        one, other = retrained(epochs=60), retrained(epochs=60, init=plain)
        answers = [head(VAL_FEATURES).argmax(dim=1) for head in (one, other)]
        assert (answers[0] == answers[1]).float().mean() > 0.97

    def test_the_same_arguments_give_the_same_head(self) -> None:
        one, same, other = retrained(), retrained(), retrained(seed=1)
        assert torch.equal(one.weight, same.weight)
        assert torch.equal(one.bias, same.bias)
        assert not torch.equal(one.weight, other.weight)

    def test_it_leaves_init_and_generators_as_they_were(self) -> None:
        init = new_head()
        before, state = copy.deepcopy(init), torch.get_rng_state()
        retrained(init=init)
        assert torch.equal(init.weight, before.weight)
        assert init.weight.grad is None
        assert torch.equal(torch.get_rng_state(), state)

    def test_a_frozen_head_is_trained(self) -> None:
        init = new_head().requires_grad_(False)
        assert not torch.equal(retrained(init=init).weight, init.weight)
        assert not init.weight.requires_grad

    def test_no_epochs_give_init_back(self) -> None:
        init = new_head()
        assert torch.equal(retrained(init=init, epochs=0).weight, init.weight)

    def test_weights_decay_and_the_bias_does_not(self) -> None:
        """Without anything to learn: each step takes lr * weight_decay of the weights."""
        init = new_head()
        head = retrain_head(
            torch.zeros(3, 2), np.arange(3), CLASSES,
            epochs=1, lr=0.1, weight_decay=0.5, seed=0, init=init.requires_grad_(False),
        )  # fmt: skip
        torch.testing.assert_close(head.weight, 0.95 * init.weight)
        shift = (head.bias - init.bias).abs()
        torch.testing.assert_close(shift, torch.full((3,), 0.1))  # AdamW's first step

    def test_a_head_without_bias(self) -> None:
        init = nn.Linear(2, 3, bias=False)
        assert retrained(init=init).bias is None

    def test_features_of_inference_mode_and_half_precision(self) -> None:
        with torch.inference_mode():
            features = FEATURES.clone()
        arguments: dict[str, Any] = {"epochs": 1, "lr": 0.05, "weight_decay": 0.0, "seed": 0}
        for given in (features, features.half(), FEATURES.numpy()):
            head = retrain_head(given, LABELS, CLASSES, init=new_head(), **arguments)
            torch.testing.assert_close(head.weight, retrained(epochs=1).weight, atol=1e-2, rtol=0)

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"classes": ["a", "b"]}, "label 2"),
            ({"classes": ["a", "b", "c", "d"]}, "The head has 3 classes, the data 4"),
            ({"labels": LABELS[:-1]}, "shape"),
            ({"features": FEATURES[:, :1]}, "this head wants (images, 2)"),
        ],
    )
    def test_what_does_not_match_is_refused(self, changed: dict[str, Any], message: str) -> None:
        given = {"features": FEATURES, "labels": LABELS, "classes": CLASSES} | changed
        with pytest.raises(TrainError) as caught:
            retrain_head(**given, epochs=1, lr=0.1, weight_decay=0, seed=0, init=new_head())
        assert message in str(caught.value)


class TestNormalising:
    def test_by_hand(self) -> None:
        """Norms 5 and 0.5; with tau 1/2 they become their roots."""
        head = nn.Linear(2, 2)
        with torch.no_grad():
            head.weight.copy_(torch.tensor([[3.0, 4.0], [0.3, -0.4]]))
            head.bias.copy_(torch.tensor([1.0, 2.0]))
        roots = torch.tensor([5.0, 0.5]).sqrt()
        found = tau_normalised(head, 0.5)
        torch.testing.assert_close(found.weight, head.weight / roots[:, None])
        torch.testing.assert_close(found.bias, head.bias / roots)
        torch.testing.assert_close(found.weight.norm(dim=1), roots)

    def test_with_tau_1_all_norms_are_1(self, plain: nn.Linear) -> None:
        torch.testing.assert_close(tau_normalised(plain, 1.0).weight.norm(dim=1), torch.ones(3))

    def test_tau_0_is_the_head_as_it_was(self, plain: nn.Linear) -> None:
        same = tau_normalised(plain, 0.0)
        assert same is not plain
        assert torch.equal(same.weight, plain.weight)
        assert torch.equal(same.bias, plain.bias)

    def test_weights_of_nothing_stay(self) -> None:
        head = new_head()
        with torch.no_grad():
            head.weight[1] = 0
        found = tau_normalised(head, 1.5)
        assert found.weight[1].tolist() == [0, 0]
        assert found.bias[1] == head.bias[1]

    def test_it_can_still_be_trained(self) -> None:
        found = tau_normalised(nn.Linear(2, 3, bias=False), 0.5)
        assert found.weight.requires_grad
        assert found.bias is None


class TestChoosingTau:
    @pytest.fixture
    def head(self) -> nn.Linear:
        """Weights as plain training leaves them: the rarer a class, the shorter they are."""
        head = nn.Linear(3, 3, bias=False)
        with torch.no_grad():
            head.weight.copy_(torch.diag(torch.tensor([8.0, 2.0, 0.5])))
        return head

    # Features that all heads with the same norms answer rightly.
    FEATURES = torch.tensor([[1.0, 0.5, 0.5], [0.6, 1.0, 0.2], [0.4, 0.2, 1.0]])

    def test_by_hand(self, head: nn.Linear) -> None:
        """The last image turns right where 8^(1 - tau) * 0.4 < 0.5^(1 - tau): 1 - tau < 0.33048."""
        found = choose_tau_norm(head, self.FEATURES, np.arange(3), COUNTS, "accuracy")
        assert found.tau == pytest.approx(0.67)
        assert found.before.accuracy == pytest.approx(1 / 3)
        assert found.after.accuracy == 1

    @pytest.mark.parametrize("metric", METRICS)
    def test_it_is_the_best_of_the_new_heads(self, plain: nn.Linear, metric: str) -> None:
        found = choose_tau_norm(plain, VAL_FEATURES, VAL_LABELS, COUNTS, metric)
        values = [
            score(tau_normalised(plain, tau)(VAL_FEATURES).detach(), VAL_LABELS, COUNTS).value(
                metric
            )
            for tau in np.linspace(0, 2, 201)
        ]
        assert found.after.value(metric) == pytest.approx(max(values))
        assert found.tau == pytest.approx(np.linspace(0, 2, 201)[np.argmax(values)])

    def test_where_nothing_helps_tau_is_0(self) -> None:
        head = nn.Linear(3, 3, bias=False)
        with torch.no_grad():
            head.weight.copy_(torch.eye(3))
        found = choose_tau_norm(head, torch.eye(3), np.arange(3), COUNTS, "macro_f1")
        assert found.tau == 0
        assert found.after is found.before

    def test_features_of_another_width_are_refused(self, head: nn.Linear) -> None:
        with pytest.raises(TrainError, match="wants"):
            choose_tau_norm(head, FEATURES, LABELS, COUNTS, "macro_f1")
