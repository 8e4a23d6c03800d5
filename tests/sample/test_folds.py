"""Folds and hold-outs: whole groups, even classes, no class validated that was not trained."""

from __future__ import annotations

import builtins
import hashlib
import math
import time
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from fastload.errors import FastloadError
from fastload.sample.even_folds import deal, even_folds
from fastload.sample.even_holdout import even_holdout
from fastload.sample.group_table import group_table

Records = tuple[np.ndarray, np.ndarray]

# As in a folder whose validation was ruined by copies: 3,457 images, 1,405 of them in the largest
# of 19 classes and 3 in the smallest.
IMAGES = [1405, 520, 360, 260, 200, 160, 130, 100, 80, 60, 50, 40, 30, 20, 15, 12, 8, 4, 3]
DIGESTS = ["27ae429a931b84eb", "2caa3069815d8368"]


def fold_of_records(
    labels: np.ndarray, groups: np.ndarray, folds: int, seed: int = 0
) -> np.ndarray:
    table = group_table(labels, groups, int(labels.max()) + 1, seed)
    return even_folds(table, folds)[table.of_record]


def held_out(labels: np.ndarray, groups: np.ndarray, share: Fraction, seed: int = 0) -> np.ndarray:
    table = group_table(labels, groups, int(labels.max()) + 1, seed)
    return even_holdout(table, share)[table.of_record]


def counts_of(labels: np.ndarray, fold_of: np.ndarray, folds: int) -> np.ndarray:
    """Images of each class in each fold."""
    counts = np.zeros((int(labels.max()) + 1, folds), np.int64)
    np.add.at(counts, (labels[fold_of >= 0], fold_of[fold_of >= 0]), 1)
    return counts


def groups_by_class(labels: np.ndarray, groups: np.ndarray) -> dict[int, set[int]]:
    return {int(c): set(groups[labels == c].tolist()) for c in np.unique(labels)}


@st.composite
def pure_records(draw: Any) -> Records:
    """Groups of one class each: few and large classes, groups of 1 to 9 images."""
    labels, groups = [], []
    for label in range(draw(st.integers(1, 6))):
        sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=25))
        for size in sizes:
            group = groups[-1] + 1 if groups else 0
            labels += [label] * size
            groups += [group] * size
    return np.array(labels), np.array(groups)


@st.composite
def any_records(draw: Any) -> Records:
    """Groups that may have images of any classes; each class has an image."""
    classes, count = draw(st.integers(1, 6)), draw(st.integers(1, 12))
    size = draw(st.integers(classes, 40))
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=size, max_size=size))
    groups = draw(st.lists(st.integers(0, count - 1), min_size=size, max_size=size))
    return np.array([*labels, *range(classes)]), np.array([*groups, *range(classes)])


@given(any_records(), st.integers(2, 7), st.integers(0, 2**64 - 1))
def test_no_group_is_divided_and_all_that_is_validated_is_trained(
    records: Records, folds: int, seed: int
) -> None:
    labels, groups = records
    fold_of = fold_of_records(labels, groups, folds, seed)
    assert fold_of.shape == labels.shape and fold_of.dtype == np.int16
    assert set(fold_of.tolist()) <= set(range(-1, folds))
    for group in np.unique(groups):
        assert len(set(fold_of[groups == group].tolist())) == 1
    for label in np.unique(labels):
        for fold in range(folds):
            assert (fold_of[labels == label] != fold).any(), "a class without training images"


@given(pure_records(), st.integers(2, 7), st.integers(0, 99))
def test_classes_are_in_as_many_folds_as_they_have_groups(
    records: Records, folds: int, seed: int
) -> None:
    labels, groups = records
    fold_of = fold_of_records(labels, groups, folds, seed)
    for label, own in groups_by_class(labels, groups).items():
        of_groups = [int(fold_of[groups == group][0]) for group in own]
        if len(own) == 1:
            assert of_groups == [-1]
        else:
            assert -1 not in of_groups
            assert len(set(of_groups)) == min(folds, len(own))
            if len(own) < folds:
                assert len(set(of_groups)) == len(own), f"class {label} twice in a fold"


@given(pure_records(), st.integers(2, 7), st.integers(0, 99))
def test_the_fullest_fold_of_a_class_has_no_group_too_many(
    records: Records, folds: int, seed: int
) -> None:
    """Without its smallest group it has no more than the emptiest: no move makes it evener."""
    labels, groups = records
    fold_of = fold_of_records(labels, groups, folds, seed)
    counts = counts_of(labels, fold_of, folds)
    for label, own in groups_by_class(labels, groups).items():
        if len(own) == 1:
            continue
        for fold in range(folds):
            here = [group for group in own if fold_of[groups == group][0] == fold]
            smallest = min((int((groups == group).sum()) for group in here), default=0)
            assert counts[label, fold] - smallest <= counts[label].min()


@given(st.lists(st.integers(2, 40), min_size=1, max_size=30), st.integers(2, 7), st.integers(0, 99))
def test_single_images_differ_by_one_at_most(images: list[int], folds: int, seed: int) -> None:
    labels = np.repeat(np.arange(len(images)), images)
    counts = counts_of(labels, fold_of_records(labels, np.arange(len(labels)), folds, seed), folds)
    assert (counts.sum(axis=1) == images).all()
    assert (np.ptp(counts, axis=1) <= 1).all()
    assert np.ptp(counts.sum(axis=0)) <= 1


@given(st.lists(st.integers(1, 9), min_size=7, max_size=60), st.integers(2, 7))
def test_groups_of_one_class_are_dealt_as_by_scikit_learn(sizes: list[int], folds: int) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    ours = counts_of(0 * groups, fold_of_records(0 * groups, groups, folds), folds)
    # A second class, one image a fold, makes scikit-learn take the largest groups first.
    labels = np.append(0 * groups, [1] * folds)
    with_second = np.append(groups, len(sizes) + np.arange(folds))
    splitter = StratifiedGroupKFold(folds)
    parts = [held for _, held in splitter.split(labels, labels, with_second)]
    theirs = [int((labels[held] == 0).sum()) for held in parts]
    assert sorted(ours[0].tolist()) == sorted(theirs)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=6),
    st.integers(1, 5),
    st.integers(0, 40),
    st.data(),
)
def test_dealing_at_once_is_dealing_one_by_one(
    levels: list[int], size: int, count: int, data: st.DataObject
) -> None:
    totals = [level + data.draw(st.integers(0, 9)) for level in levels]
    had, filled, shares = list(levels), list(totals), [0] * len(levels)
    for _ in range(count):
        fold = min(range(len(had)), key=lambda fold: (had[fold], filled[fold], fold))
        had[fold] += size
        filled[fold] += size
        shares[fold] += 1
    assert deal(levels, totals, size, count) == shares


def test_what_scikit_learn_leaves_to_mend() -> None:
    """Alone, it puts both groups of class 1 into one fold, which then is trained without it."""
    labels, groups = np.array([1, 0, 1, 0]), np.array([0, 1, 1, 2])
    parts = list(StratifiedGroupKFold(2).split(labels, labels, groups))
    assert [set(labels[train].tolist()) for train, _ in parts] == [{0}, {0, 1}]
    fold_of = fold_of_records(labels, groups, 2)
    assert (fold_of >= 0).all()
    for fold in range(2):
        assert set(labels[fold_of != fold].tolist()) == {0, 1}


def test_scikit_learns_warnings_are_not_the_users() -> None:
    labels, groups = np.array([0, 1, 2, 2, 3, 3]), np.array([0, 0, 1, 2, 2, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(fold_of_records(labels, groups, 3)) == 6


def test_classes_in_one_anothers_way_keep_a_group_for_training() -> None:
    """Six groups, each two of which are all of some class: five folds cannot hold them apart."""
    pairs = [(a, b) for a in range(6) for b in range(a)]
    labels = np.repeat(np.arange(len(pairs)), 2)
    groups = np.array(pairs).ravel()
    fold_of = fold_of_records(labels, groups, 5)
    assert len(set(fold_of[fold_of >= 0].tolist())) == 5
    assert len(set(groups[fold_of == -1].tolist())) == 1


@pytest.mark.parametrize("copies", [1, 3])
def test_the_users_data(copies: int) -> None:
    labels = np.repeat(np.arange(19), IMAGES)
    # Copies follow their original; the last group of a class may have fewer.
    starts = np.repeat(np.cumsum([0, *IMAGES[:-1]]), IMAGES)
    within = np.arange(len(labels)) - starts
    groups = starts + within // copies
    fold_of = fold_of_records(labels, groups, 5)
    counts = counts_of(labels, fold_of, 5)
    assert len(labels) == 3457
    assert (np.ptp(counts, axis=1) <= copies).all()
    assert np.ptp(counts.sum(axis=0)) <= copies
    assert sorted(counts[18].tolist()) == ([0, 0, 1, 1, 1] if copies == 1 else [0] * 5)
    assert (fold_of[labels == 18] == -1).all() == (copies == 3)
    assert sorted(counts[17].tolist()) == ([0, 1, 1, 1, 1] if copies == 1 else [0, 0, 0, 1, 3])


@pytest.mark.parametrize("largest", [2, 6])
def test_as_even_as_scikit_learn_where_groups_span_classes(largest: int) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(19), IMAGES)
    groups = np.arange(len(labels))
    for _ in range(200):
        members = rng.choice(len(labels), int(rng.integers(2, largest + 1)), replace=False)
        groups[members] = members[0]
    ours = counts_of(labels, fold_of_records(labels, groups, 5), 5)
    theirs = np.zeros_like(ours)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for fold, (_, held) in enumerate(StratifiedGroupKFold(5).split(labels, labels, groups)):
            theirs[:, fold] = np.bincount(labels[held], minlength=19)
    assert (np.ptp(ours, axis=1) <= np.maximum(np.ptp(theirs, axis=1), 1)).all()
    assert np.ptp(ours.sum(axis=0)) <= max(np.ptp(theirs.sum(axis=0)), 1)


def spanning(count: int = 400) -> Records:
    numbers = np.arange(count)
    return numbers * 7919 % 31 % 7, numbers**2 * 104729 % 997 % (count // 2)


def test_folds_are_a_function_of_the_seed() -> None:
    labels, groups = spanning()
    folds = [fold_of_records(labels, groups, 5, seed) for seed in (0, 0, 1)]
    assert np.array_equal(folds[0], folds[1])
    assert not np.array_equal(folds[0], folds[2])
    renamed = np.random.default_rng(0).permutation(10**6)[groups]
    assert np.array_equal(fold_of_records(labels, renamed, 5), folds[0])
    # The same on every machine and with every scikit-learn: a stored digest, not a second run.
    parts = [folds[0], held_out(labels, groups, Fraction(1, 5))]
    digests = [hashlib.sha256(part.astype("<i2").tobytes()).hexdigest()[:16] for part in parts]
    assert digests == DIGESTS


@given(any_records(), st.integers(1, 9), st.integers(0, 99))
def test_holdouts_divide_no_group_and_train_each_class(
    records: Records, tenths: int, seed: int
) -> None:
    labels, groups = records
    fold_of = held_out(labels, groups, Fraction(tenths, 10), seed)
    assert fold_of.dtype == np.int16 and set(fold_of.tolist()) <= {-1, 0}
    for group in np.unique(groups):
        assert len(set(fold_of[groups == group].tolist())) == 1
    for label in np.unique(labels):
        assert (fold_of[labels == label] == -1).any()


@given(pure_records(), st.integers(1, 9), st.integers(0, 99))
def test_holdouts_have_each_class_of_two_groups_on_both_sides(
    records: Records, tenths: int, seed: int
) -> None:
    labels, groups = records
    fold_of = held_out(labels, groups, Fraction(tenths, 10), seed)
    for label, own in groups_by_class(labels, groups).items():
        validating = int((fold_of[labels == label] == 0).sum())
        assert (validating > 0) == (len(own) > 1)
        largest = max(int((groups == group).sum()) for group in own)
        if len(own) > 1:
            wanted = (labels == label).sum() * tenths / 10
            assert abs(validating - wanted) <= largest


@given(
    st.lists(st.integers(10, 60), min_size=1, max_size=30), st.integers(1, 19), st.integers(0, 99)
)
def test_holdouts_of_single_images_are_exact(images: list[int], parts: int, seed: int) -> None:
    labels = np.repeat(np.arange(len(images)), images)
    share = Fraction(parts, 20)
    fold_of = held_out(labels, np.arange(len(labels)), share, seed)
    validating = np.bincount(labels[fold_of == 0], minlength=len(images)).tolist()
    for count, of in zip(validating, images, strict=True):
        least, most = max(1, math.floor(of * share)), min(of - 1, math.ceil(of * share))
        assert least <= count <= max(least, most)
    if all(of * share >= 1 and of * (1 - share) >= 1 for of in images):
        assert abs(sum(validating) - len(labels) * share) < 1


def test_holdouts_have_groups_of_several_classes_on_both_sides() -> None:
    fold_of = held_out(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), Fraction(1, 100))
    assert sorted(fold_of.tolist()) == [-1, -1, 0, 0]


def test_holdouts_take_groups_of_all_sizes_alike() -> None:
    """Else the largest groups, the most copied images, would be all of the validation."""
    sizes = [10] * 50 + [1] * 500
    groups = np.repeat(np.arange(550), sizes)
    fold_of = held_out(0 * groups, groups, Fraction(1, 5))
    of_groups = np.zeros(550, np.int64)
    of_groups[groups] = fold_of == 0
    assert (of_groups[:50].sum(), of_groups[50:].sum()) == (10, 100)


def test_a_million_images_in_a_thousand_classes_take_seconds() -> None:
    labels = np.repeat(np.arange(1000), 1300)
    for groups in (np.arange(len(labels)), np.arange(len(labels)) // 5):
        start = time.perf_counter()
        counts = counts_of(labels, fold_of_records(labels, groups, 5), 5)
        held = held_out(labels, groups, Fraction(1, 5))
        seconds = time.perf_counter() - start
        assert (counts == 260).all()
        assert (held == 0).sum() == 260_000
        assert seconds < 20


def test_a_missing_scikit_learn_is_told_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError("No module named 'sklearn'")
        return imported(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    labels, groups = spanning()
    with pytest.raises(FastloadError, match="pip install scikit-learn"):
        fold_of_records(labels, groups, 5)
    assert (fold_of_records(labels, np.arange(400), 5) >= 0).all()
