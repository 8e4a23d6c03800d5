"""Post-hoc logit adjustment: an exact search, held against trying many values."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import train_ref.adjustment
from tests.sample.test_balanced import LONG_LABELS, LONG_TAIL
from train_ref.adjustment import (
    TAU_RANGE,
    adjusted,
    choose_tau,
    cross_fitted,
    spread_parts,
)
from train_ref.errors import TrainError
from train_ref.metrics import METRICS, score

Case = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


@st.composite
def cases(draw: st.DrawFn, most: int = 25) -> Case:
    """Logits in sixteenths, so that many are equal; classes of equal size and without images."""
    classes = draw(st.integers(2, 5))
    images = draw(st.integers(1, most))
    row = st.lists(st.integers(-64, 64), min_size=classes, max_size=classes)
    logits = np.array(draw(st.lists(row, min_size=images, max_size=images))) / 16
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=images, max_size=images))
    sizes = st.sampled_from([0, 1, 2, 10, 11, 500])
    counts = draw(st.lists(sizes, min_size=classes, max_size=classes).filter(any))
    return logits, np.array(labels), np.array(counts)


def long_tail(seed: int = 0, images: int = 400) -> Case:
    """What an ideal model says of the long tail: log probabilities, up to a number an image.

    An image shows a normal deviate for each class, with the mean 1.5 for its own and 0 for others.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(LONG_LABELS)[:images]
    shown = rng.normal(0, 1, (images, 19)) + 1.5 * np.eye(19)[labels]
    return 1.5 * shown + np.log(LONG_TAIL / LONG_TAIL.sum()), labels, LONG_TAIL


def tried(case: Case, metric: str) -> tuple[float, float]:
    """The best tau and its metric, from values on both sides of all crossings of two logits."""
    logits, labels, counts = case
    low, high = TAU_RANGE
    slopes = adjusted(np.zeros((1, len(counts))), counts, 1.0)[0]
    crossings = {low, high}
    for one, other in itertools.combinations(range(len(counts)), 2):
        if slopes[one] != slopes[other]:
            gaps = (logits[:, one] - logits[:, other]) / (slopes[other] - slopes[one])
            crossings.update(gaps[(gaps > low) & (gaps < high)].tolist())
    edges = np.array(sorted(crossings))
    edges = edges[np.concatenate([[True], np.diff(edges) > 1e-9])]
    answers = [
        adjusted(logits, counts, tau).argmax(axis=1).tolist()
        for tau in (edges[1:] + edges[:-1]) / 2
    ]
    found = [(0.0, score(logits, labels, counts).value(metric))]
    for same, places in itertools.groupby(range(len(answers)), answers.__getitem__):
        inside = list(places)
        tau = (edges[inside[0]] + edges[inside[-1] + 1]) / 2
        found.append((tau, score(np.eye(len(counts))[same], labels, counts).value(metric)))
    best = max(value for _, value in found)
    return min((tau for tau, value in found if value > best - 1e-9), key=abs), best


class TestAdjusted:
    def test_by_hand(self) -> None:
        """Shares of 3/4 and 1/4: with tau 2, log 16/9 and log 16 are added."""
        found = adjusted([[1.0, -1.0]], [3, 1], 2.0)
        np.testing.assert_allclose(found, [[1 + np.log(16 / 9), -1 + np.log(16)]])

    def test_tau_0_is_nothing(self) -> None:
        logits = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
        found = adjusted(logits, [5, 0, 1], 0.0)
        assert found.dtype == np.float64
        assert (found == logits).all()

    def test_tau_1_takes_the_prior_out(self) -> None:
        """Of a model that knows the shares alone, nothing is left."""
        counts = np.array([60, 9, 2])
        found = adjusted(np.log(counts / 71)[None], counts, 1.0)
        np.testing.assert_allclose(found, 0, atol=1e-12)

    def test_counts_of_other_classes(self) -> None:
        with pytest.raises(TrainError, match="2 classes and answers for 3"):
            adjusted(np.zeros((1, 3)), [1, 1], 0.5)


class TestChoice:
    def test_by_hand(self) -> None:
        """9 to 1: the answers change at log 9 * tau = 0.5 and 2; between them all are right."""
        found = choose_tau(
            [[2.0, 0.0], [2.0, 0.0], [1.0, 0.5], [1.0, 0.5]], [0, 0, 1, 1], [90, 10], "accuracy"
        )
        assert found.tau == pytest.approx((0.5 + 2) / 2 / np.log(9))
        assert (found.before.accuracy, found.after.accuracy) == (0.5, 1.0)

    @given(cases(), st.sampled_from(METRICS))
    @settings(max_examples=200)
    def test_no_other_tau_is_better_and_none_as_good_is_nearer_to_0(
        self, case: Case, metric: str
    ) -> None:
        found = choose_tau(*case, metric)
        tau, value = tried(case, metric)
        assert abs(found.tau) == pytest.approx(abs(tau))
        assert found.after.value(metric) == pytest.approx(value)
        assert found.after.value(metric) >= found.before.value(metric)
        logits, labels, counts = case
        after = score(adjusted(logits, counts, found.tau), labels, counts)
        assert (found.after.confusion == after.confusion).all()

    @pytest.mark.parametrize("metric", METRICS)
    def test_on_a_long_tail_it_is_as_good_as_the_best_of_a_fine_grid(self, metric: str) -> None:
        case = long_tail()
        logits, labels, counts = case
        found = choose_tau(*case, metric)
        grid = [
            score(adjusted(logits, counts, tau), labels, counts).value(metric)
            for tau in np.linspace(*TAU_RANGE, 401)
        ]
        assert found.after.value(metric) >= max(grid) - 1e-12

    def test_an_ideal_model_is_moved_to_rare_classes_for_what_counts_classes(self) -> None:
        """By 1, were there enough images."""
        found = choose_tau(*long_tail(), "balanced_accuracy")
        assert 0.5 < found.tau < 1.5
        assert found.after.balanced_accuracy > found.before.balanced_accuracy + 0.1

    def test_a_model_of_balanced_epochs_is_moved_back_for_what_counts_images(self) -> None:
        logits, labels, counts = long_tail()
        found = choose_tau(adjusted(logits, counts, 1.0), labels, counts, "accuracy")
        assert found.tau < -0.7
        assert found.after.accuracy > found.before.accuracy + 0.05

    def test_where_nothing_helps_tau_is_0(self) -> None:
        found = choose_tau(10 * np.eye(3), [0, 1, 2], [500, 50, 5], "macro_f1")
        assert found.tau == 0
        assert found.after is found.before

    def test_classes_of_one_size_have_nothing_to_adjust(self) -> None:
        assert choose_tau(*long_tail()[:2], np.full(19, 7), "macro_f1").tau == 0

    def test_chunks_make_no_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = choose_tau(*long_tail(), "macro_f1")
        monkeypatch.setattr(train_ref.adjustment, "_CHUNK", 19 * 7)
        parts = choose_tau(*long_tail(), "macro_f1")
        assert parts.tau == whole.tau
        assert (parts.after.confusion == whole.after.confusion).all()

    def test_groups_reach_the_scores(self) -> None:
        found = choose_tau(np.eye(2), [0, 1], [7, 5], "accuracy", groups=(6, 6))
        assert list(found.before.groups) == ["many", "few"]

    def test_infinite_logits_are_refused(self) -> None:
        with pytest.raises(TrainError, match="infinite"):
            choose_tau([[0.0, -np.inf]], [0], [2, 1], "accuracy")

    def test_a_metric_of_another_name_is_refused(self) -> None:
        with pytest.raises(TrainError, match="no metric 'f1'"):
            choose_tau(np.eye(2), [0, 1], [2, 1], "f1")


class TestCrossFitting:
    def test_each_part_is_answered_by_the_tau_of_the_others(self) -> None:
        logits, labels, counts = long_tail()
        part = spread_parts(labels, 3, seed=7)
        answers = np.zeros(len(labels), np.int64)
        for number in range(3):
            inside = part == number
            tau = choose_tau(logits[~inside], labels[~inside], counts, "macro_f1").tau
            answers[inside] = adjusted(logits[inside], counts, tau).argmax(axis=1)
        expected = score(np.eye(19)[answers], labels, counts)
        found = cross_fitted(logits, labels, counts, "macro_f1", parts=3, seed=7)
        assert (found.confusion == expected.confusion).all()

    def test_it_is_not_flattered_where_there_is_nothing_to_find(self) -> None:
        """Labels that have nothing to do with the logits, half of them of each class."""
        flattered, honest = [], []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            case = rng.normal(size=(40, 2)), rng.permutation(40) % 2, np.array([90, 10])
            found = choose_tau(*case, "accuracy")
            flattered.append(found.after.accuracy - 0.5)
            honest.append(cross_fitted(*case, "accuracy", seed=seed).accuracy - 0.5)
        assert np.mean(flattered) > 0.05
        assert np.mean(honest) < 0.01

    def test_the_seed_decides(self) -> None:
        one, same, other = (
            cross_fitted(*long_tail(), "macro_f1", seed=seed).confusion for seed in (0, 0, 1)
        )
        assert (one == same).all()
        assert (one != other).any()

    def test_more_parts_than_images(self) -> None:
        assert cross_fitted(np.eye(2), [0, 1], [9, 1], "accuracy", parts=5).support.sum() == 2

    @pytest.mark.parametrize(("images", "parts"), [(1, 5), (3, 1), (3, 0)])
    def test_what_cannot_be_divided_is_refused(self, images: int, parts: int) -> None:
        with pytest.raises(TrainError, match="takes 2 of each"):
            cross_fitted(np.eye(3)[:images], np.arange(images), [1, 1, 1], "accuracy", parts)

    @given(
        st.lists(st.integers(0, 4), min_size=1, max_size=60),
        st.integers(2, 7),
        st.integers(0, 2**32 - 1),
    )
    def test_parts_are_even_in_each_class(self, labels: list[int], parts: int, seed: int) -> None:
        part = spread_parts(np.array(labels), parts, seed)
        for members in [np.ones(len(labels), bool), *(np.array(labels) == k for k in range(5))]:
            sizes = np.bincount(part[members], minlength=parts)
            assert sizes.max() - sizes.min() <= 1
