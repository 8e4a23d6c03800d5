"""Losses: by hand, against other implementations, and what all of them promise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from fastload import BalancedSampler
from tests.sample.test_balanced import LONG_LABELS, LONG_TAIL
from train_ref.config import CHOICES, Config
from train_ref.errors import TrainError
from train_ref.losses import (
    CrossEntropy,
    Focal,
    Ldam,
    Loss,
    effective_number_weights,
    inverse_frequency_weights,
    ldam_margins,
    make_loss,
)

COUNTS = np.array([60, 9, 2, 0])
LOSSES = CHOICES["loss"]


def loss_of(name: str, counts: Any = COUNTS, draws: Any = None, **settings: Any) -> Loss:
    """A loss in double precision, ldam with its late weights."""
    draws = None if draws is None else np.asarray(draws, np.float64)
    loss = make_loss(Config(loss=name, **settings), np.asarray(counts), draws).double()
    loss.set_epoch(99, 100)
    return loss


def batch(images: int = 12, classes: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(images, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(classes, (images,), generator=generator)


def value(loss: Loss, logits: list[list[float]], targets: list[int]) -> float:
    found = loss(torch.tensor(logits, dtype=torch.float64), torch.tensor(targets))
    return float(found)


class TestByHand:
    def test_cross_entropy(self) -> None:
        assert value(loss_of("ce", [3, 1]), [[math.log(3), 0]], [1]) == pytest.approx(math.log(4))

    def test_weighted_cross_entropy(self) -> None:
        """1/3 and 1 have the mean 2/3: weights 1/2 and 3/2."""
        loss = loss_of("weighted-ce", [3, 1])
        assert loss.weights.tolist() == pytest.approx([0.5, 1.5])
        found = value(loss, [[0, 0], [math.log(3), 0]], [0, 1])
        assert found == pytest.approx((0.5 * math.log(2) + 1.5 * math.log(4)) / 2)

    def test_focal(self) -> None:
        """p is 1/4 for the rarer answer: what is left of log 4 is (3/4)^2."""
        logits = [[math.log(3), 0]]
        loss = loss_of("focal", [3, 1], focal_gamma=2.0)
        assert value(loss, logits, [1]) == pytest.approx(9 / 16 * math.log(4))
        assert value(loss, logits, [0]) == pytest.approx(1 / 16 * math.log(4 / 3))

    def test_class_balanced(self) -> None:
        """1 and 2 images are worth 1 and 1.9; 1 and 10/19 have the mean 29/38."""
        loss = loss_of("class-balanced", [1, 2], cb_beta=0.9)
        assert loss.weights.tolist() == pytest.approx([38 / 29, 20 / 29])
        assert value(loss, [[0, 0]], [0]) == pytest.approx(38 / 29 * math.log(2))

    def test_ldam(self) -> None:
        """The fourth roots of 16 and 1 are 2 and 1: margins 1/4 and 1/2."""
        loss = loss_of("ldam", [16, 1], ldam_margin=0.5, drw=1.0)
        assert value(loss, [[0, 0]], [0]) == pytest.approx(math.log(1 + math.exp(0.25)))
        assert value(loss, [[0, 0]], [1]) == pytest.approx(math.log(1 + math.exp(0.5)))

    def test_balanced_softmax(self) -> None:
        """Where the model says nothing, shares of 3/4 and 1/4 are what it is held against."""
        loss = loss_of("balanced-softmax", [3, 1], loss_tau=7.0)
        assert value(loss, [[0, 0]], [0]) == pytest.approx(math.log(4 / 3))
        assert value(loss, [[0, 0]], [1]) == pytest.approx(math.log(4))

    def test_logit_adjusted(self) -> None:
        """With tau 2, 9 to 1."""
        loss = loss_of("logit-adjusted", [3, 1], loss_tau=2.0)
        assert value(loss, [[0, 0]], [0]) == pytest.approx(math.log(10 / 9))
        assert value(loss, [[0, 0]], [1]) == pytest.approx(math.log(10))

    def test_label_smoothing(self) -> None:
        """With 0.2, of two classes the right one keeps 0.9."""
        loss = loss_of("ce", [3, 1], label_smoothing=0.2)
        expected = 0.9 * math.log(4 / 3) + 0.1 * math.log(4)
        assert value(loss, [[math.log(3), 0]], [0]) == pytest.approx(expected)

    def test_smoothing_weighs_with_the_images_own_class(self) -> None:
        loss = loss_of("weighted-ce", [3, 1], label_smoothing=0.2)
        expected = 0.5 * (0.9 * math.log(4 / 3) + 0.1 * math.log(4))
        assert value(loss, [[math.log(3), 0]], [0]) == pytest.approx(expected)

    def test_shares_are_a_mean_of_losses(self) -> None:
        """A mix of 0.3 of the first class and 0.7 of the second, each with its weight."""
        loss = loss_of("weighted-ce", [3, 1])
        logits = torch.tensor([[math.log(3), 0]])
        found = loss(logits, torch.tensor([[0.3, 0.7]]))
        expected = 0.3 * 0.5 * math.log(4 / 3) + 0.7 * 1.5 * math.log(4)
        assert float(found) == pytest.approx(expected)


class TestAgainstOthers:
    @pytest.mark.parametrize("smoothing", [0.0, 0.1])
    def test_cross_entropy_is_torchs(self, smoothing: float) -> None:
        logits, labels = batch()
        loss = loss_of("ce", label_smoothing=smoothing)
        expected = F.cross_entropy(logits, labels, label_smoothing=smoothing)
        torch.testing.assert_close(loss(logits, labels), expected)
        shares = torch.rand(12, 4, dtype=torch.float64).softmax(dim=1)
        expected = F.cross_entropy(logits, shares, label_smoothing=smoothing)
        torch.testing.assert_close(loss(logits, shares), expected)

    def test_weights_are_torchs_over_the_number_of_images(self) -> None:
        logits, labels = batch()
        loss = loss_of("weighted-ce")
        expected = F.cross_entropy(logits, labels, loss.weights, reduction="sum") / 12
        torch.testing.assert_close(loss(logits, labels), expected)
        shares = torch.rand(12, 4, dtype=torch.float64).softmax(dim=1)
        torch.testing.assert_close(
            loss(logits, shares), F.cross_entropy(logits, shares, loss.weights)
        )

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
    def test_focal_of_two_classes_is_the_sigmoids(self, gamma: float) -> None:
        logits, labels = batch(classes=2)
        loss = loss_of("focal", [5, 5], focal_gamma=gamma)
        expected = sigmoid_focal_loss(
            logits[:, 1] - logits[:, 0], labels.double(), alpha=-1, gamma=gamma, reduction="mean"
        )
        torch.testing.assert_close(loss(logits, labels), expected)

    @pytest.mark.parametrize("largest", [0.0, 0.5, 15.0])
    def test_ldam_is_cross_entropy_with_the_margin_taken_off(self, largest: float) -> None:
        logits, labels = batch()
        loss = loss_of("ldam", ldam_margin=largest, drw=1.0)
        margins = torch.as_tensor(ldam_margins(COUNTS, largest)).float().double()
        expected = F.cross_entropy(logits - F.one_hot(labels, 4) * margins, labels)
        torch.testing.assert_close(loss(logits, labels), expected)

    def test_balanced_softmax_is_logit_adjusted_by_1(self) -> None:
        logits, labels = batch()
        torch.testing.assert_close(
            loss_of("balanced-softmax")(logits, labels),
            loss_of("logit-adjusted", loss_tau=1.0)(logits, labels),
        )

    def test_weights_of_the_effective_number_go_from_none_to_inverse_frequency(self) -> None:
        assert effective_number_weights(LONG_TAIL, 0.0).tolist() == [1.0] * 19
        np.testing.assert_allclose(
            effective_number_weights(LONG_TAIL, 0.999999999),
            inverse_frequency_weights(LONG_TAIL),
            rtol=1e-4,
        )

    def test_an_average_image_of_the_long_tail_weighs_a_ninth(self) -> None:
        """As the docstring says."""
        mean = inverse_frequency_weights(LONG_TAIL)[LONG_LABELS].mean()
        assert mean == pytest.approx(1 / 9, rel=0.05)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
class TestAll:
    def test_labels_are_shares_of_1(self, name: str, smoothing: float) -> None:
        logits, labels = batch()
        loss = loss_of(name, label_smoothing=smoothing)
        shares = F.one_hot(labels, 4).double()
        torch.testing.assert_close(loss(logits, labels), loss(logits, shares))

    def test_a_mix_costs_the_mix_of_what_its_parts_cost(self, name: str, smoothing: float) -> None:
        logits, labels = batch()
        loss = loss_of(name, label_smoothing=smoothing)
        partners = labels.roll(1)
        shares = 0.3 * F.one_hot(labels, 4).double() + 0.7 * F.one_hot(partners, 4).double()
        expected = 0.3 * loss(logits, labels) + 0.7 * loss(logits, partners)
        torch.testing.assert_close(loss(logits, shares), expected)

    def test_parts_of_a_batch_add_up(self, name: str, smoothing: float) -> None:
        logits, labels = batch()
        loss = loss_of(name, label_smoothing=smoothing)
        parts = [loss(logits[rows], labels[rows]) for rows in torch.arange(12).split(4)]
        torch.testing.assert_close(torch.stack(parts).mean(), loss(logits, labels))

    def test_gradients(self, name: str, smoothing: float) -> None:
        logits, labels = batch(images=5)
        loss = loss_of(name, label_smoothing=smoothing)
        logits.requires_grad_()
        assert torch.autograd.gradcheck(lambda given: loss(given, labels), logits)
        shares = torch.rand(5, 4, dtype=torch.float64).softmax(dim=1)
        assert torch.autograd.gradcheck(lambda given: loss(given, shares), logits)

    def test_a_number_on_all_logits_changes_nothing(self, name: str, smoothing: float) -> None:
        logits, labels = batch()
        loss = loss_of(name, label_smoothing=smoothing)
        torch.testing.assert_close(loss(logits + 40, labels), loss(logits, labels))

    def test_renaming_classes_changes_nothing(self, name: str, smoothing: float) -> None:
        logits, labels = batch()
        other = torch.tensor([2, 0, 3, 1])  # what was class other[k] is class k
        one = loss_of(name, label_smoothing=smoothing)
        renamed = loss_of(name, COUNTS[other.numpy()], label_smoothing=smoothing)
        torch.testing.assert_close(
            renamed(logits[:, other], other.argsort()[labels]), one(logits, labels)
        )

    @given(st.integers(0, 3), st.sampled_from([0.0, 1e-3, 1.0, 50.0, 1e4]), st.booleans())
    @settings(max_examples=25)
    def test_certainty_makes_neither_losses_nor_gradients_infinite(
        self, name: str, smoothing: float, label: int, size: float, right: bool
    ) -> None:
        """In single precision, where p is 1 or 0; gamma below 1, whose power has a steep end."""
        loss = make_loss(
            Config(loss=name, label_smoothing=smoothing, focal_gamma=0.5, ldam_margin=200.0),
            COUNTS,
        )
        loss.set_epoch(9, 10)
        logits = torch.zeros(1, 4)
        logits[0, label if right else (label + 1) % 4] = size
        logits.requires_grad_()
        found = loss(logits, torch.tensor([label]))
        (gradient,) = torch.autograd.grad(found, logits)
        assert torch.isfinite(found)
        assert torch.isfinite(gradient).all()
        assert found >= 0

    def test_half_precision_is_computed_with_in_single(self, name: str, smoothing: float) -> None:
        logits, labels = batch()
        loss = make_loss(Config(loss=name, label_smoothing=smoothing), COUNTS)
        half = logits.half()
        found = loss(half, labels)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, loss(half.float(), labels))

    def test_nothing_of_it_belongs_into_a_checkpoint(self, name: str, smoothing: float) -> None:
        loss = loss_of(name, label_smoothing=smoothing)
        assert not loss.state_dict()
        assert not list(loss.parameters())


class TestDeferredWeights:
    def test_weights_come_when_their_share_of_the_epochs_is_over(self) -> None:
        loss = make_loss(Config(loss="ldam", drw=0.8, cb_beta=0.99), COUNTS)
        expected = effective_number_weights(COUNTS, 0.99)
        for epoch in [7, 8, 9, 0]:  # back too: a run may go on from an earlier epoch
            loss.set_epoch(epoch, 10)
            late = epoch >= 8
            wanted = expected if late else np.ones(4)
            np.testing.assert_allclose(loss.weights.numpy(), wanted, rtol=1e-6)

    def test_hundredths_of_100_epochs_are_epochs(self) -> None:
        """Also 0.55, whose product with 100 is not whole; 1 is never."""
        for share in range(101):
            loss = make_loss(Config(loss="ldam", drw=share / 100), COUNTS)
            first = next((epoch for epoch in range(100) if self.weighs(loss, epoch)), 100)
            assert first == share

    @staticmethod
    def weighs(loss: Loss, epoch: int) -> bool:
        loss.set_epoch(epoch, 100)
        return loss.weights.tolist() != [1.0] * 4

    @pytest.mark.parametrize("name", [name for name in LOSSES if name != "ldam"])
    def test_other_losses_stay_as_they_are(self, name: str) -> None:
        loss = loss_of(name)
        logits, labels = batch()
        late = loss(logits, labels)
        loss.set_epoch(0, 100)
        assert loss(logits, labels) == late


class TestDraws:
    @pytest.mark.parametrize("name", LOSSES)
    def test_each_image_once_is_no_other_loss(self, name: str) -> None:
        logits, labels = batch()
        plain = loss_of(name)(logits, labels)
        torch.testing.assert_close(loss_of(name, draws=COUNTS)(logits, labels), plain)
        torch.testing.assert_close(loss_of(name, draws=COUNTS * 0.1)(logits, labels), plain)

    @pytest.mark.parametrize("name", ["weighted-ce", "balanced-softmax", "logit-adjusted"])
    def test_balanced_epochs_leave_nothing_to_correct(self, name: str) -> None:
        logits, labels = batch()
        loss = loss_of(name, draws=[20.0, 20.0, 20.0, 0.0])
        torch.testing.assert_close(loss(logits, labels), F.cross_entropy(logits, labels))

    def test_epochs_by_effective_number_leave_nothing_to_the_loss_of_it(self) -> None:
        draws = BalancedSampler(LONG_LABELS, "effective:0.99", epoch_length=10**6).draws(0)
        weights = effective_number_weights(LONG_TAIL, 0.99, draws)
        np.testing.assert_allclose(weights, np.ones(19), rtol=1e-3)

    def test_what_an_epoch_weighs_of_each_class_is_the_papers(self) -> None:
        """Weight times draws, whatever is drawn: in proportion to n / E_n."""
        draws = np.array([5.0, 20.0, 7.0])
        counts = np.array([100, 10, 3])
        plain = effective_number_weights(counts, 0.9) * counts
        sampled = effective_number_weights(counts, 0.9, draws) * draws
        np.testing.assert_allclose(sampled / sampled[0], plain / plain[0])

    def test_margins_are_of_images_not_of_draws(self) -> None:
        loss = loss_of("ldam", draws=[1.0, 1.0, 60.0, 0.0])
        assert isinstance(loss, Ldam)
        np.testing.assert_allclose(loss.margins.numpy(), ldam_margins(COUNTS, 0.5), rtol=1e-6)

    def test_a_class_that_is_never_drawn_has_a_finite_weight(self) -> None:
        weights = inverse_frequency_weights([8, 4, 2], draws=[8.0, 4.0, 0.0])
        assert weights[:2].mean() == pytest.approx(1)
        assert weights[2] == weights[1]

    def test_of_other_classes(self) -> None:
        with pytest.raises(TrainError, match="4 classes and draws of 3"):
            loss_of("weighted-ce", draws=[1.0, 2.0, 3.0])


class TestWhatIsLearnt:
    """60, 9 and 2 images that all look the same: a model can only learn how frequent each is."""

    LABELS = torch.tensor([0] * 60 + [1] * 9 + [2] * 2)

    def learnt(self, name: str, **settings: Any) -> np.ndarray:
        """Probabilities where the loss has its minimum."""
        loss = loss_of(name, COUNTS[:3], **settings)
        logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe")

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            cost: torch.Tensor = loss(logits.expand(71, 3), self.LABELS)
            cost.backward()
            return cost

        optimizer.step(closure)
        return logits.detach().softmax(dim=0).numpy()

    def test_cross_entropy_learns_the_shares(self) -> None:
        np.testing.assert_allclose(self.learnt("ce"), np.array([60, 9, 2]) / 71, atol=1e-4)

    @pytest.mark.parametrize("name", ["weighted-ce", "balanced-softmax", "logit-adjusted"])
    def test_losses_that_balance_learn_that_all_are_alike(self, name: str) -> None:
        np.testing.assert_allclose(self.learnt(name), np.ones(3) / 3, atol=1e-4)

    def test_half_a_tau_learns_square_roots(self) -> None:
        roots = np.sqrt([60, 9, 2])
        found = self.learnt("logit-adjusted", loss_tau=0.5)
        np.testing.assert_allclose(found, roots / roots.sum(), atol=1e-4)


def test_kinds() -> None:
    kinds = {name: type(loss_of(name)) for name in LOSSES}
    assert kinds.pop("focal") is Focal
    assert kinds.pop("ldam") is Ldam
    assert set(kinds.values()) == {CrossEntropy}


@pytest.mark.parametrize("shape", [(12, 1), (12, 3), (4,), (12,)])
def test_shares_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    logits, _ = batch()
    with pytest.raises(TrainError, match="do not go with logits"):
        loss_of("ce")(logits, torch.zeros(shape))


@pytest.mark.parametrize("shape", [(11,), (12, 1), (12, 4)])
def test_labels_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    logits, _ = batch()
    with pytest.raises(TrainError, match="do not go with logits"):
        loss_of("ce")(logits, torch.zeros(shape, dtype=torch.int64))
