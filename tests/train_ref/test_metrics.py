"""Metrics: scikit-learn's, their floors, and groups by training images."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from tests.sample.test_balanced import LONG_LABELS, LONG_TAIL
from train_ref.errors import TrainError
from train_ref.metrics import METRICS, Scores, metric_terms, score

Case = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Labels, answers and the number of classes, some of which may never occur."""
    classes = draw(st.integers(2, 7))
    images = draw(st.integers(1, 40))
    column = st.lists(st.integers(0, classes - 1), min_size=images, max_size=images)
    return np.array(draw(column)), np.array(draw(column)), classes


@contextmanager
def without_warnings() -> Iterator[None]:
    """scikit-learn warns of answers that are no labels, which is what is tried here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def scored(labels: npt.NDArray[np.int64], answers: npt.NDArray[np.int64], classes: int) -> Scores:
    return score(np.eye(classes)[answers], labels, np.full(classes, 50))


@given(cases())
def test_headline_is_scikit_learns(case: Case) -> None:
    labels, answers, _ = case
    found = scored(*case)
    with without_warnings():
        expected = {
            "weighted_f1": oracle.f1_score(labels, answers, average="weighted"),
            "macro_f1": oracle.f1_score(labels, answers, average="macro"),
            "balanced_accuracy": oracle.balanced_accuracy_score(labels, answers),
            "accuracy": oracle.accuracy_score(labels, answers),
        }
    assert set(expected) == set(METRICS)
    for metric, value in expected.items():
        assert found.value(metric) == pytest.approx(value)


@given(cases())
def test_what_is_told_of_each_class_is_scikit_learns(case: Case) -> None:
    labels, answers, classes = case
    found = scored(*case)
    names = np.arange(classes)
    precision, recall, f1, support = oracle.precision_recall_fscore_support(
        labels, answers, labels=names, zero_division=0
    )
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.recall, recall)
    np.testing.assert_allclose(found.f1, f1)
    assert found.support.tolist() == support.tolist()
    table = oracle.confusion_matrix(labels, answers, labels=names)
    assert found.confusion.tolist() == table.tolist()
    assert found.confusion.dtype == found.support.dtype == np.int64


@given(cases())
def test_a_metric_is_its_terms(case: Case) -> None:
    found = scored(*case)
    confusion = found.confusion
    for metric in METRICS:
        above, below = metric_terms(
            metric, confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)
        )
        assert above.sum() / below.sum() == pytest.approx(found.value(metric))


@given(cases())
def test_floor_is_the_best_of_all_constant_answers(case: Case) -> None:
    labels, answers, classes = case
    constant = [scored(labels, np.full_like(answers, one), classes) for one in range(classes)]
    for metric, floor in scored(*case).floors.items():
        assert floor == pytest.approx(max(one.value(metric) for one in constant))


def test_always_the_largest_class_of_the_long_tail() -> None:
    """0.235, which is more than the 0.2201 that a baseline was published with."""
    answers = np.zeros((len(LONG_LABELS), 19))
    answers[:, 0] = 1
    found = score(answers, LONG_LABELS, LONG_TAIL)
    assert round(found.weighted_f1, 3) == 0.235
    assert found.floors == {metric: found.value(metric) for metric in METRICS}
    share = 1405 / 3457
    assert found.accuracy == pytest.approx(share)
    assert found.weighted_f1 == pytest.approx(share * 2 * share / (1 + share))
    assert found.macro_f1 == pytest.approx(2 * share / (1 + share) / 19)
    assert found.balanced_accuracy == pytest.approx(1 / 19)


def test_by_hand() -> None:
    """Class 0: two of three right, one wrongly so; class 1: one of two right, one wrongly so."""
    labels, answers = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 0, 1])
    found = scored(labels, answers, 2)
    assert found.f1 == pytest.approx([2 / 3, 1 / 2])
    assert found.macro_f1 == pytest.approx(7 / 12)
    assert found.weighted_f1 == pytest.approx((3 * 2 / 3 + 2 * 1 / 2) / 5)
    assert found.balanced_accuracy == pytest.approx(7 / 12)
    assert found.accuracy == pytest.approx(3 / 5)


def test_groups_by_training_images() -> None:
    """20 and 100 images are medium. Class 3 is few-shot, is answered once and has no image."""
    counts = [101, 100, 20, 19, 1]
    labels = np.array([0, 0, 0, 0, 1, 1, 2, 4])
    answers = np.array([0, 0, 0, 1, 1, 1, 1, 3])
    found = score(np.eye(5)[answers], labels, counts).groups
    assert list(found) == ["many", "medium", "few"]
    many, medium, few = found.values()
    assert (many.classes, many.images) == (1, 4)
    assert many.accuracy == pytest.approx(3 / 4)
    assert many.macro_f1 == pytest.approx(6 / 7)
    # Class 1 has both of its images right and is answered four times; class 2's is wrong.
    assert (medium.classes, medium.images) == (2, 3)
    assert medium.accuracy == pytest.approx(1 / 2)
    assert medium.macro_f1 == pytest.approx((4 / 6 + 0) / 2)
    assert (few.classes, few.images, few.accuracy, few.macro_f1) == (1, 1, 0, 0)


def test_macro_f1_of_a_group_counts_what_is_answered_alone() -> None:
    """As scikit-learn's over the group's labels: class 1 has no images, one answer and F1 0."""
    labels, answers = np.array([0, 0, 2]), np.array([0, 1, 2])
    found = score(np.eye(4)[answers], labels, [5, 5, 500, 5])
    assert found.groups["few"].macro_f1 == pytest.approx((2 / 3 + 0) / 2)
    with without_warnings():
        expected = oracle.f1_score(labels, answers, labels=[0, 1], average="macro")
    assert found.groups["few"].macro_f1 == pytest.approx(expected)


def test_other_bounds_make_other_groups() -> None:
    found = score(np.eye(2), [0, 1], [7, 5], groups=(6, 6))
    assert {name: group.images for name, group in found.groups.items()} == {"many": 1, "few": 1}


def test_headline_is_plain_json_without_groups_that_have_no_images() -> None:
    headline = score(np.eye(3), [0, 1, 2], [500, 200, 3]).headline()
    assert json.loads(json.dumps(headline)) == headline
    assert list(headline) == [*METRICS, *(f"floor_{metric}" for metric in METRICS), "many", "few"]
    assert all(type(value) is float for value in headline.values())


def test_of_equal_answers_the_first_is_taken() -> None:
    assert score(np.zeros((2, 3)), [0, 1], [1, 1, 1]).confusion[:, 0].tolist() == [1, 1, 0]


@given(cases(), st.integers(0, 2**32 - 1))
def test_renaming_classes_changes_no_headline(case: Case, seed: int) -> None:
    labels, answers, classes = case
    other = np.random.default_rng(seed).permutation(classes)
    one, renamed = scored(*case).headline(), scored(other[labels], other[answers], classes)
    assert renamed.headline() == pytest.approx(one)


@pytest.mark.parametrize(
    ("answers", "labels", "counts", "message"),
    [
        (np.eye(2), [0, -1], [1, 1], "Image 1 has the label -1"),
        (np.eye(2), [0, 2], [1, 1], "Image 1 has the label 2"),
        (np.eye(2), [0.0, 1.0], [1, 1], "float64"),
        (np.eye(2), [0], [1, 1], "shape"),
        (np.eye(2), [0, 1], [1, 1, 1], "3 classes and answers for 2"),
        (np.zeros((0, 2)), np.zeros(0, int), [1, 1], "one image at least"),
        (np.zeros(2), [0, 1], [1, 1], "(images, classes)"),
        (np.array([[0, 1], [0, np.nan]]), [0, 1], [1, 1], "answers for image 1 are no numbers"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    answers: npt.NDArray[np.float64], labels: list[int], counts: list[int], message: str
) -> None:
    with pytest.raises(TrainError) as caught:
        score(answers, labels, counts)
    assert message in str(caught.value)


def test_a_metric_of_another_name_is_refused() -> None:
    with pytest.raises(TrainError, match="no metric 'support'"):
        score(np.eye(2), [0, 1], [1, 1]).value("support")
