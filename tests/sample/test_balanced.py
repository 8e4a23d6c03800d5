"""Balanced epochs: how often each class comes, and which of its samples."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from fastload.native.library import class_order
from fastload.sample import BalancedSampler
from fastload.sample.balanced import ERA

# The data set that this library was asked for.
LONG_TAIL = np.array(
    [1405, 595, 307, 210, 162, 145, 142, 130, 99, 57, 54, 51, 27, 22, 17, 14, 12, 5, 3]
)
LONG_LABELS = np.repeat(np.arange(len(LONG_TAIL)), LONG_TAIL)

MODES: dict[str, Any] = {
    "none": "none",
    "class": "class",
    "sqrt": "sqrt",
    "effective": "effective:0.99",
    "repeat_factor": "repeat_factor",
    "progressive": "progressive:10",
    "weights": {label: 1.0 + label for label in range(len(LONG_TAIL))},
    "quota": dict.fromkeys(range(len(LONG_TAIL)), 300),
    "function": lambda counts, epoch: counts ** (1 / (epoch + 1)),
}


def share_of(mode: str, epoch: int) -> npt.NDArray[np.float64]:
    """What each mode promises, written down once more."""
    counts = LONG_TAIL.astype(float)
    shares = {
        "none": counts,
        "class": np.ones(19),
        "sqrt": counts**0.5,
        "effective": counts * 0.01 / (1 - 0.99**counts),
        "repeat_factor": counts * np.maximum(1, (counts.sum() / 19 / counts) ** 0.5),
        "progressive": (1 - min(1, epoch / 10)) * counts / counts.sum() + min(1, epoch / 10) / 19,
        "weights": np.arange(1, 20),
        "quota": np.ones(19),
        "function": counts ** (1 / (epoch + 1)),
    }[mode]
    return shares / shares.sum()


def classes_of(order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.bincount(LONG_LABELS[order], minlength=len(LONG_TAIL))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("epoch", [0, 7])
def test_a_million_draws_are_spread_as_promised(mode: str, epoch: int) -> None:
    length = None if mode == "quota" else 10**6
    sampler = BalancedSampler(LONG_LABELS, MODES[mode], epoch_length=length)
    drawn = classes_of(sampler.order(epoch))
    assert drawn.sum() == len(sampler) == (length or 19 * 300)
    expected = share_of(mode, epoch) * len(sampler)
    # Rounded to whole draws: far nearer than chance, which p > 0.001 of chi-square would allow.
    statistic = float(((drawn - expected) ** 2 / expected).sum())
    assert np.abs(drawn - expected).max() < 1
    assert statistic < 42.3  # the 0.999 quantile for 18 degrees of freedom


@pytest.mark.parametrize("mode", MODES)
def test_every_image_of_a_class_comes_before_any_comes_again(mode: str) -> None:
    sampler = BalancedSampler(LONG_LABELS, MODES[mode], seed=3)
    seen = np.zeros(len(LONG_LABELS), np.int64)
    fewest, left = [0] * 19, LONG_TAIL.tolist()
    for epoch in range(4):
        order = sampler.order(epoch)
        for sample, label in zip(order.tolist(), LONG_LABELS[order].tolist(), strict=True):
            assert seen[sample] == fewest[label]
            seen[sample] += 1
            left[label] -= 1
            if not left[label]:
                fewest[label] += 1
                left[label] = int(LONG_TAIL[label])


@st.composite
def tasks(draw: st.DrawFn) -> dict[str, Any]:
    counts = draw(st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any))
    labels = np.repeat(np.arange(len(counts)), counts)
    if draw(st.booleans()):
        labels = np.random.default_rng(0).permutation(labels)
    return {
        "labels": labels,
        "balance": draw(st.sampled_from(["none", "class", "sqrt", "effective", "repeat_factor"])),
        "epoch_length": draw(st.none() | st.integers(1, 300)),
        "seed": draw(st.integers(0, 2**64 - 1)),
    }


@given(tasks(), st.integers(0, 5), st.integers(1, 6))
def test_epochs_go_on_in_the_cycles(task: dict[str, Any], first: int, epochs: int) -> None:
    sampler = BalancedSampler(**task)
    labels = task["labels"]
    seen = np.zeros(len(labels), np.int64)
    for epoch in range(first + epochs):
        order = sampler.order(epoch)
        assert len(order) == len(sampler)
        once = np.bincount(order, minlength=len(labels))
        seen += once
        for label in np.unique(labels):
            for times in (once, seen):
                of_class = times[labels == label]
                assert of_class.max() - of_class.min() <= 1
            assert once[labels == label].sum() == sampler.draws(epoch)[label]


@given(tasks(), st.integers(0, 3), st.integers(1, 5))
def test_no_image_comes_too_often(task: dict[str, Any], epoch: int, most: int) -> None:
    try:
        sampler = BalancedSampler(**task, max_repeats=most)
    except ValueError as error:
        length = int(str(error).split("epoch_length=")[1].split(",")[0])
        sampler = BalancedSampler(**task | {"epoch_length": length}, max_repeats=most)
    order = sampler.order(epoch)
    assert np.bincount(order).max() <= most
    assert len(order) == len(sampler)


@given(tasks(), st.integers(1, 12), st.integers(1, 5), st.integers(0, 3))
def test_batches_of_classes(task: dict[str, Any], classes: int, images: int, epoch: int) -> None:
    labels = task["labels"]
    if len(BalancedSampler(**task)) < classes * images or len(np.unique(labels)) < classes:
        with pytest.raises(ValueError, match=r"has no batch of|classes in each batch"):
            BalancedSampler(**task, per_batch=(classes, images))
        return
    sampler = BalancedSampler(**task, per_batch=(classes, images))
    order = sampler.order(epoch)
    assert len(order) == len(sampler) and len(order) % (classes * images) == 0
    for batch in order.reshape(-1, classes, images):
        of_batch = labels[batch]
        assert (of_batch == of_batch[:, :1]).all()
        assert len(np.unique(of_batch[:, 0])) == classes
        for row, label in zip(batch, of_batch[:, 0], strict=True):
            assert len(np.unique(row)) == min(images, np.count_nonzero(labels == label))
    once = np.bincount(order, minlength=len(labels))
    for label in np.unique(labels):
        assert np.ptp(once[labels == label]) <= 1


def test_shares_are_kept_over_the_epochs() -> None:
    sampler = BalancedSampler(LONG_LABELS, "sqrt", epoch_length=100)
    total = np.zeros(19)
    for epoch in range(50):
        total += sampler.draws(epoch)
        assert np.abs(total - share_of("sqrt", 0) * 100 * (epoch + 1)).max() < 1


def test_a_class_that_is_full_gives_the_rest_to_the_others() -> None:
    sampler = BalancedSampler(LONG_LABELS, "class", max_repeats=10)
    draws = sampler.draws(0)
    assert draws.sum() == LONG_TAIL.sum()
    full = draws.max() > LONG_TAIL * 10
    assert (draws[full] == 10 * LONG_TAIL[full]).all()
    assert np.ptp(draws[~full]) <= 1


def test_progressive_ends_at_equal_classes() -> None:
    sampler = BalancedSampler(LONG_LABELS, "progressive:3")
    assert (sampler.draws(0) == LONG_TAIL).all()
    assert np.ptp(sampler.draws(3)) <= 1
    assert sampler.draws(1)[0] > sampler.draws(2)[0] > sampler.draws(3)[0]
    with pytest.warns(UserWarning, match="within 90 epochs"):
        BalancedSampler(LONG_LABELS, "progressive")


def test_quota_is_images_an_epoch() -> None:
    names = [f"class {label}" for label in range(19)]
    sampler = BalancedSampler(LONG_LABELS, {"class 18": 40, 0: 100}, classes=names)
    assert sampler.draws(0).tolist() == [100, *LONG_TAIL[1:-1].tolist(), 40]
    weighted = BalancedSampler(LONG_LABELS, {label: 0.5 * (label < 2) for label in range(19)})
    assert weighted.draws(0)[:3].tolist() == [1729, 1728, 0]


def test_orders_are_a_function_of_seed_and_epoch_alone() -> None:
    sampler = BalancedSampler(LONG_LABELS, "class", seed=5)
    late = sampler.order(40).tolist()
    fresh = BalancedSampler(LONG_LABELS, "class", seed=5)
    assert fresh.order(40).tolist() == late
    assert fresh.order(3).tolist() == sampler.order(3).tolist()
    assert pickle.loads(pickle.dumps(fresh)).order(41).tolist() == sampler.order(41).tolist()
    assert sampler.order(41).tolist() != late
    assert BalancedSampler(LONG_LABELS, "class", seed=6).order(40).tolist() != late
    # What seeds give must not change from version to version.
    assert BalancedSampler([0] * 5 + [1] * 3, seed=1).order(2).tolist() == GOLDEN


GOLDEN = [2, 5, 5, 4, 6, 7, 1, 3]


def test_far_epochs_are_as_near_as_others() -> None:
    sampler = BalancedSampler(LONG_LABELS, "sqrt")
    far = 2**32 - 1
    assert classes_of(sampler.order(far)).sum() == len(sampler)
    assert sampler.order(ERA).tolist() != sampler.order(0).tolist()


def test_order_of_labels_does_not_matter() -> None:
    shuffled = np.random.default_rng(1).permutation(LONG_LABELS)
    order = BalancedSampler(shuffled, "class", seed=2).order(5)
    expected = BalancedSampler(LONG_LABELS, "class", seed=2).order(5)
    assert shuffled[order].tolist() == LONG_LABELS[expected].tolist()


def test_batches_mix_the_classes() -> None:
    order = BalancedSampler(LONG_LABELS, "class").order(0)
    halves = [np.bincount(LONG_LABELS[half], minlength=19) for half in np.array_split(order, 2)]
    # 182 draws of each class: hypergeometric in the first half, a standard deviation of 6.6.
    assert np.abs(halves[0] - halves[1]).max() < 2 * 6 * 6.6


@pytest.mark.parametrize("size", [1, 2, 3, *(2**k + d for k in (5, 16) for d in (-1, 0, 1))])
def test_every_size_is_a_permutation(size: int) -> None:
    order = class_order(size, 0, 0, *single(size))
    assert np.array_equal(np.sort(order), np.arange(size))


def test_more_samples_than_a_float_can_count() -> None:
    size = 2**24 + 1
    order = class_order(3, 0, 0, *single(size))
    seen = np.zeros(size, bool)
    seen[order] = True
    assert len(order) == size and seen.all()


def single(size: int) -> tuple[Any, ...]:
    return np.array([0, size], np.uint64), None, np.array([size]), np.array([0])


def test_with_torchs_loader() -> None:
    dataset = TensorDataset(torch.arange(len(LONG_LABELS)), torch.tensor(LONG_LABELS))
    sampler = BalancedSampler(LONG_LABELS, "class")
    loader: Any = DataLoader(dataset, batch_size=32, sampler=sampler)
    epochs = [torch.cat([samples for samples, _ in loader]).tolist() for _ in range(2)]
    assert epochs == [sampler.order(epoch).tolist() for epoch in range(2)]
    sampler.set_epoch(0)
    assert torch.cat([samples for samples, _ in loader]).tolist() == epochs[0]
    assert len(loader) == math.ceil(len(sampler) / 32)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"balance": "clas"}, "Do you mean 'class'?"),
        ({"balance": "class:2"}, "takes no number"),
        ({"balance": "effective:1"}, "beta is 1.0"),
        ({"balance": {"b": 1.0}}, "no weight for 1 classes: a"),
        ({"balance": {"c": 1}}, "which is not there"),
        ({"balance": {"a": -1, "b": 2}}, "not negative"),
        ({"balance": {}}, "not negative"),
        ({"balance": lambda counts, _: counts[:1]}, "2 finite numbers"),
        ({"balance": lambda counts, _: counts * 0}, "No class"),
        ({"balance": 3}, "balance is 3"),
        ({"epoch_length": 0}, "epoch_length is 0"),
        ({"max_repeats": 1, "epoch_length": 100}, "epoch_length=7,"),
        ({"per_batch": (3, 1)}, "wants 3 classes"),
        ({"per_batch": 3}, "per_batch is 3"),
        ({"per_batch": (2, 10)}, "no batch of"),
        ({"labels": [0, -1]}, "negative"),
        ({"labels": [0.5]}, "dataset.targets"),
        ({"labels": []}, "no samples"),
    ],
)
def test_refusals_say_what_is_wrong(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as refused:
        BalancedSampler(**{"labels": [0] * 4 + [1] * 3, "classes": ["a", "b"]} | arguments)
    assert words in str(refused.value)
