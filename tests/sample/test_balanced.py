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
from fastload.sample.apportion import apportion, limited
from fastload.sample.balance import Weights
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
    # One draw, up or down, that the epochs before have left.
    assert np.ptp(sampler.draws(3)) <= 2 and np.ptp(sum(map(sampler.draws, range(3, 22)))) <= 2
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
    # Worker processes do not iterate the sampler: batches of classes come as they are in the order.
    classes = BalancedSampler(LONG_LABELS, "class", per_batch=(4, 2), seed=3)
    kept: Any = DataLoader(dataset, 8, sampler=classes, num_workers=2, persistent_workers=True)
    for epoch in range(3):
        served = torch.cat([samples for samples, _ in kept])
        assert served.tolist() == classes.order(epoch).tolist()


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
        ({"labels": TensorDataset(torch.arange(3))}, "TensorDataset has no targets"),
        ({"epoch_length": 2**40}, "fewer than 2**32"),
        ({"balance": {"a": 2**62, "b": 2**62}}, "fewer than 2**32"),
        ({"per_batch": (2, 3), "epoch_length": 5}, "epoch of 5 samples has no batch of (2, 3)"),
        ({"balance": Weights((1.0,))}, "2 finite numbers"),
        ({"balance": Weights((1.0, math.inf))}, "2 finite numbers"),
        ({"balance": lambda counts, _: counts * math.nan}, "2 finite numbers"),
        ({"balance": {"a": 1.0, 0: 2.0, 1: 1.0}}, "names the class 'a' twice"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**64}, "0 to 2**64 - 1"),
        ({"seed": None}, "seed is None"),
    ],
)
def test_refusals_say_what_is_wrong(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as refused:
        BalancedSampler(**{"labels": [0] * 4 + [1] * 3, "classes": ["a", "b"]} | arguments)
    assert words in str(refused.value)


@st.composite
def shares_and_limits(draw: st.DrawFn) -> tuple[npt.NDArray[np.float64], Any, int]:
    """Shares as far apart as floats can be, limits that allow some total, and the total."""
    size = draw(st.integers(1, 30))
    share = st.floats(0, 1e308) | st.sampled_from([0.0, 5e-324, 1e-300, 1.0, 1e308])
    shares = np.array(draw(st.lists(share, min_size=size, max_size=size)))
    most = draw(st.sampled_from([1, 3, 1000, 2**31]))
    limits = np.array(draw(st.lists(st.integers(1, most), min_size=size, max_size=size)))
    limits = np.where(shares > 0, limits, 0)
    shares = shares if shares.any() else np.ones(size)
    limits = np.maximum(limits, shares > 0)
    return shares, limits, draw(st.integers(1, min(int(limits.sum()), 2**32 - 1)))


@given(shares_and_limits())
def test_any_shares_are_apportioned_within_their_limits(task: Any) -> None:
    shares, limits, total = task
    wanted = limited(shares, total, limits)
    assert (wanted >= 0).all() and (wanted <= limits / total).all()
    assert (wanted[shares == 0] == 0).all()
    owed = None
    for _ in range(4):
        one = apportion(wanted, total, limits, owed)
        assert one.draws.sum() == total
        assert ((one.draws >= 0) & (one.draws <= limits)).all()
        owed = one.owed


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=20), st.data())
def test_limits_leave_the_shares_of_the_others_as_they_are(
    given_shares: list[float], data: st.DataObject
) -> None:
    """Over the epochs, each class has its share or its limit, and no epoch is above the limit."""
    shares, epochs = np.array(given_shares), 40
    size = len(shares)
    limits = np.array(data.draw(st.lists(st.integers(1, 9), min_size=size, max_size=size)))
    total = data.draw(st.integers(1, int(limits.sum())))
    wanted = limited(shares, total, limits)
    # Filled up to a level: all below their limits have the same draws a share.
    level = wanted / shares
    free = wanted < limits / total * (1 - 1e-9)
    assert wanted.sum() == pytest.approx(1)
    assert not free.any() or np.ptp(level[free]) <= 1e-9 * level[free].max()
    assert not free.any() or (level[~free] <= level[free].max() * (1 + 1e-9)).all()
    drawn, owed = np.zeros(size), None
    for _ in range(epochs):
        one = apportion(wanted, total, limits, owed)
        drawn, owed = drawn + one.draws, one.owed
        assert (one.draws <= limits).all()
    assert np.abs(drawn - wanted * total * epochs).max() < 2


@pytest.mark.parametrize("length", [10**6, 2**32 - 1])
def test_what_rounding_takes_does_not_gather_in_one_class(length: int) -> None:
    draws = BalancedSampler(np.arange(100_000), "class", epoch_length=length).draws(0)
    assert draws.sum() == length
    assert draws.max() - draws.min() <= 1 + length * 2**-29


@pytest.mark.parametrize("most", [10, 2**62, 2**70])
def test_many_repeats_are_no_limit(most: int) -> None:
    sampler = BalancedSampler([0, 0, 0, 1], max_repeats=most)
    assert sampler.draws(0).tolist() == [2, 2]


def test_a_class_of_next_to_no_share_is_drawn_where_there_is_no_room_elsewhere() -> None:
    labels = [0] * 4 + [1] * 4
    sampler = BalancedSampler(labels, {0: 1e308, 1: 1e-300}, max_repeats=1, epoch_length=6)
    assert sampler.draws(0).tolist() == [4, 2]
    assert BalancedSampler(labels, {0: 1e308, 1: 1e308}).draws(0).tolist() == [4, 4]


def test_shares_of_classes_without_images_do_not_count() -> None:
    with np.errstate(divide="ignore"):
        sampler = BalancedSampler([0, 2, 2], lambda counts, _: 1 / counts, epoch_length=3)
        assert sampler.draws(0).tolist() == [2, 0, 1]


def test_many_classes() -> None:
    names = [f"class {label}" for label in range(100_000)]
    sampler = BalancedSampler(np.arange(100_000), dict.fromkeys(names, 2.0), classes=names)
    assert np.array_equal(np.sort(sampler.order(1)), np.arange(100_000))
    named = sampler.identity()["balance"]
    assert named.startswith("Weights ") and len(named) < 40
    other = BalancedSampler(np.arange(100_000), {**dict.fromkeys(names, 2.0), names[-1]: 1.0},
                            classes=names)  # fmt: skip
    assert other.identity()["balance"] != named


def test_one_class_and_one_sample() -> None:
    alone = BalancedSampler([0] * 5, "class", epoch_length=1)
    assert sorted(alone.order(epoch)[0] for epoch in range(5)) == list(range(5))
    assert BalancedSampler([3], "sqrt", epoch_length=4).order(9).tolist() == [0] * 4


def test_epochs_are_integers_of_32_bits() -> None:
    sampler = BalancedSampler([0, 1])
    sampler.set_epoch(np.int64(2**32 - 1))  # type: ignore[arg-type]
    assert type(sampler.epochs.next) is int and sorted(sampler) == [0, 1]
    for wrong in (-1, 2**32):
        with pytest.raises(ValueError, match="from 0 to 2"):
            sampler.set_epoch(wrong)
    with pytest.raises(TypeError):
        sampler.set_epoch(1.5)  # type: ignore[arg-type]
