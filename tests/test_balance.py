"""Balanced loaders: what they serve, what they say, and what they refuse."""

from __future__ import annotations

import random
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    IterableDataset,
    Sampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)
from torch.utils.data import DataLoader as TorchDataLoader
from torchvision.transforms import transforms as v1

import fastload
from fastload import DataLoader, ImageFolder, describe_epoch
from fastload.expected_draws import expected_draws
from tests.sample.test_balanced import LONG_LABELS, LONG_TAIL

pytestmark = [
    pytest.mark.filterwarnings("ignore:Images of"),
    pytest.mark.filterwarnings("ignore:An epoch leaves out"),
]
CROP = v1.Compose([v1.RandomResizedCrop(24), v1.PILToTensor()])


class Labelled(TensorDataset):
    """The data set that this library was asked for, without its pictures."""

    def __init__(self, targets: Any = None) -> None:
        self.targets = LONG_LABELS.tolist() if targets is None else targets
        self.classes = [f"class {label}" for label in range(len(LONG_TAIL))]
        labels = torch.tensor(LONG_LABELS) if targets is None else torch.zeros(len(targets))
        super().__init__(torch.arange(len(labels)), labels)


class Endless(IterableDataset[int]):
    """A stream that tells its classes all the same."""

    targets: ClassVar[list[int]] = [0, 1]

    def __iter__(self) -> Iterator[int]:
        return count()


def labels_of(loader: Any) -> np.ndarray:
    return np.concatenate([labels.numpy() for _, labels in loader])


def test_classes_come_equally_often(small_pack: Path) -> None:
    dataset = ImageFolder(small_pack, CROP)
    loader = DataLoader(dataset, 5, balance="class", seed=1, num_workers=2)
    counts = np.bincount(dataset.targets)
    for epoch in range(3):
        drawn = np.bincount(labels_of(loader), minlength=len(counts))
        assert drawn.sum() == len(dataset)
        assert np.ptp(drawn) <= 1
        assert drawn.tolist() == loader.sampler.draws(epoch).tolist()


def test_batches_do_not_depend_on_threads_or_cache(small_pack: Path) -> None:
    def batches(threads: int, cache: int) -> torch.Tensor:
        loader = DataLoader(
            ImageFolder(small_pack, CROP), 4, balance="class", epoch_length=30, seed=3,
            num_workers=threads, cache=cache,
        )  # fmt: skip
        assert len(loader) == 8
        return torch.cat([images for _ in range(2) for images, _ in loader])

    expected = batches(1, 0)
    for threads, cache in ((2, 0), (3, 40_000), (1, 10**9)):
        assert torch.equal(batches(threads, cache), expected)


def test_parts_and_unions_of_packs(small_pack: Path) -> None:
    dataset = ImageFolder(small_pack, CROP)
    part = Subset(ConcatDataset([dataset, dataset]), [*range(21, -1, -1), 43])
    loader = DataLoader(part, 5, balance="class", epoch_length=60)
    targets = np.tile(dataset.targets, 2)[part.indices]
    drawn = np.bincount(labels_of(loader))
    assert np.ptp(drawn[np.unique(targets)]) == 0
    assert loader.balance_report().classes == dataset.classes


def test_per_batch_makes_the_batches(small_pack: Path) -> None:
    loader = DataLoader(ImageFolder(small_pack, CROP), per_batch=(2, 3), num_workers=2)
    assert loader.batch_size == 6
    batches = [labels.reshape(2, 3) for _, labels in loader]
    assert len(batches) == len(loader) == 3
    for labels in batches:
        assert (labels == labels[:, :1]).all() and labels[0, 0] != labels[1, 0]


def test_any_dataset_with_targets_can_be_balanced() -> None:
    loader = DataLoader(Labelled(), 64, balance="class", seed=1)
    first, second = labels_of(loader), labels_of(loader)
    assert np.ptp(np.bincount(first)) <= 1 and first.tolist() != second.tolist()
    loader.set_epoch(0)
    assert labels_of(loader).tolist() == first.tolist()
    part = DataLoader(Subset(Labelled(), range(1000, 3457)), 64, balance="class")
    assert np.ptp(np.bincount(labels_of(part))) <= 1


def test_epochs_are_described_before_they_are_run() -> None:
    loader = DataLoader(Labelled(), 64, balance="class", seed=2)
    report = describe_epoch(loader)
    assert report.epoch == 0 and describe_epoch(loader, 4).epoch == 4
    drawn = np.concatenate([samples.numpy() for samples, _ in loader])
    times = np.bincount(drawn, minlength=len(LONG_LABELS))
    for label in range(19):
        of_class = times[label == LONG_LABELS]
        assert report.images[label] == LONG_TAIL[label]
        assert report.draws[label] == of_class.sum()
        assert (report.fewest[label], report.most[label]) == (of_class.min(), of_class.max())
        assert report.unseen[label] == (of_class == 0).mean()
    text = str(report)
    assert "3457 draws of 3457 images" in text
    row = next(line for line in text.splitlines() if line.startswith("class 18"))
    assert row.split() == ["class", "18", "3", "181", "60.65", "60-61", "0", "%"]


def test_what_harms_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"an epoch|An epoch") as caught:
        DataLoader(Labelled(), 64, balance="class")
    said = [str(warning.message) for warning in caught]
    assert len(said) == 2
    assert "each of the 3 of 'class 18' 60.6 times" in said[0] and "max_repeats=10" in said[0]
    assert "87 % of the 1405 images of 'class 0'" in said[1] and "within 8 epochs" in said[1]
    assert {warning.filename for warning in caught} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DataLoader(Labelled(), 64, balance="repeat_factor")
    with pytest.warns(UserWarning, match=r"of 'class 0'. They come within 26695 epochs"):
        # Not one draw in the first epoch is not none for ever.
        DataLoader(Labelled(), 64, balance="class", epoch_length=1)


def test_a_loader_that_has_warned_is_described_without_another_word() -> None:
    with pytest.warns(UserWarning, match="An epoch leaves out"):
        loader = DataLoader(Labelled(), 64, balance="class")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for report in (describe_epoch(loader), loader.balance_report()):
            assert "! An epoch leaves out more than half" in str(report)


def test_weighted_draws_of_torch_are_described_and_warned_of(small_pack: Path) -> None:
    weights = 1 / LONG_TAIL[LONG_LABELS]
    generator = torch.Generator().manual_seed(5)
    sampler = WeightedRandomSampler(weights.tolist(), len(weights), generator=generator)
    loader: Any = TorchDataLoader(Labelled(), 64, sampler=sampler)
    before = generator.get_state()
    with pytest.warns(UserWarning, match="still unseen after ten epochs"):
        report = describe_epoch(loader)
    assert torch.equal(generator.get_state(), before)
    drawn = labels_of(loader)
    assert report.draws.tolist() == np.bincount(drawn, minlength=19).tolist()
    assert report.expected.repeats == pytest.approx(len(weights) / 19 / LONG_TAIL)
    # Of independent draws, (1 - p)^n of a class are missed.
    chances = 1 / 19 / LONG_TAIL
    assert report.expected.unseen == pytest.approx((1 - chances) ** len(weights), rel=1e-6)

    dataset = ImageFolder(small_pack, CROP)
    rare = [1.0] * 20 + [1e4] * 2
    with pytest.warns(UserWarning, match="of the 5 of"):
        DataLoader(dataset, 4, sampler=WeightedRandomSampler(rare, 100))


def test_other_samplers_are_tried(small_pack: Path) -> None:
    dataset = ImageFolder(small_pack, CROP)
    loaders = [TorchDataLoader(dataset, 5, shuffle=True), DataLoader(dataset, 5, shuffle=True)]
    state = torch.get_rng_state()
    for loader in loaders:
        report = describe_epoch(loader)
        assert (
            report.draws.tolist() == report.images.tolist() == np.bincount(dataset.targets).tolist()
        )
        assert not report.unseen.any() and not report.warnings()
    assert torch.equal(torch.get_rng_state(), state)
    short: Any = TorchDataLoader(dataset, batch_sampler=[[0, 1], [1, 0]])
    assert describe_epoch(short).draws[0] == 4


class Own(Sampler[int]):
    """A sampler of a user's: counts its epochs, and draws from wherever it likes."""

    def __init__(self, dataset: Any, draw: Callable[[], float]) -> None:
        self.dataset, self.draw, self.epoch = dataset, draw, 0

    def __iter__(self) -> Iterator[int]:
        self.epoch += 1
        yield from (-1 if self.draw() < 0.5 else 0 for _ in range(len(self)))

    def __len__(self) -> int:
        return 40


class Uncopied(Labelled):
    """Such as is open, or fills the memory."""

    def __deepcopy__(self, memo: Any) -> Any:
        raise AssertionError("the dataset is copied")


def seed_all() -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)


@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize(
    "draw", [random.random, np.random.random, lambda: torch.rand(()).item()], ids=str
)
def test_describing_leaves_no_trace(draw: Callable[[], float], batches: bool) -> None:
    sampler = Own(Uncopied(), draw)
    chosen: Any = {"batch_sampler": BatchSampler(sampler, 8, True)} if batches else {
        "batch_size": None, "sampler": sampler
    }  # fmt: skip
    for make in (TorchDataLoader, DataLoader):
        seed_all()
        loader: Any = make(sampler.dataset, **chosen)
        report = describe_epoch(loader)
        seed_all()
        assert describe_epoch(loader).draws.tolist() == report.draws.tolist()
        again = describe_epoch(loader)
        assert again.draws.tolist() == report.draws.tolist(), "no generator has gone on"
        assert sampler.epoch == 0 and report.epoch is None
        # Negative indices count from the end, where class 18 is.
        assert report.draws[[0, 18]].sum() == 40 and report.draws[18] > 0


@pytest.mark.parametrize("balance", [{"balance": "progressive:4"}, {"shuffle": True}])
def test_describing_our_own_leaves_no_trace(small_pack: Path, balance: dict[str, Any]) -> None:
    loader = DataLoader(ImageFolder(small_pack, CROP), 4, seed=1, **balance)
    untouched = DataLoader(ImageFolder(small_pack, CROP), 4, seed=1, **balance)
    for epoch in (None, 0, 3, 1):
        loader.balance_report(epoch)
    assert loader.state_dict() == untouched.state_dict()
    assert labels_of(loader).tolist() == labels_of(untouched).tolist()
    running = iter(loader)
    next(running)
    state = loader.state_dict()
    assert loader.balance_report().epoch == 2 and loader.state_dict() == state


def test_the_epoch_that_is_asked_for_is_described() -> None:
    loader = DataLoader(Labelled(), 64, balance="progressive:4")
    first, last = describe_epoch(loader), describe_epoch(loader, 4)
    assert first.expected.repeats == pytest.approx(np.ones(19)) and not first.warnings()
    assert last.expected.repeats[18] == pytest.approx(3457 / 19 / 3) and last.warnings()


@pytest.mark.parametrize(
    ("dataset", "arguments", "words"),
    [
        (Labelled(), {"batch_sampler": (batch for batch in [[1]])}, "generator cannot be tried"),
        (Labelled(), {"sampler": Own(threading.Lock(), random.random)}, "cannot pickle"),
        (Labelled(), {"sampler": iter([1, 2])}, "cannot be tried"),
        (Labelled([str(label) for label in LONG_LABELS]), {}, "of names, numpy.unique"),
        (Labelled(np.eye(2)), {}, "one integer a sample"),
        (Endless(), {}, "IterableDataset has no sampler"),
        (TensorDataset(torch.arange(4)), {}, "has no targets"),
    ],
)
def test_what_cannot_be_described(dataset: Any, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        describe_epoch(TorchDataLoader(dataset, **arguments))


@pytest.mark.parametrize(
    "targets",
    [torch.tensor([0, 2, 0]), [0, 2, 0], np.array([0, 2, 0], np.uint8), [*torch.tensor([0, 2, 0])]],
)
def test_targets_of_any_kind(targets: Any) -> None:
    report = describe_epoch(TorchDataLoader(Labelled(targets), 2, shuffle=True))
    assert report.draws[:3].tolist() == report.images[:3].tolist() == [2, 0, 1]
    part = DataLoader(Subset(Labelled(targets), [0, 1]), 2, balance="class", epoch_length=4)
    assert part.balance_report().draws[:3].tolist() == [2, 0, 2]


def test_an_empty_dataset_is_described() -> None:
    report = describe_epoch(TorchDataLoader(Labelled([]), 2))
    assert not report.draws.sum() and "0 draws of 0 images" in str(report)
    with pytest.raises(ValueError, match="no samples to draw from"):
        DataLoader(Labelled([]), 2, balance="class")


@pytest.mark.parametrize("weights", [[1.0, 3.0], [1.0] * 9000])
def test_weights_of_another_number_of_samples(weights: list[float]) -> None:
    """Torch takes them: the others are never drawn, or fail when they are."""
    loader = TorchDataLoader(Labelled(), 2, sampler=WeightedRandomSampler(weights, 5))
    expected = expected_draws(loader)
    assert expected is not None and expected.images.sum() == len(LONG_LABELS)
    drawn = (expected.repeats * expected.images).sum()
    assert drawn == pytest.approx(5 * min(1, len(LONG_LABELS) / len(weights)))


def test_ten_million_rows_are_described_in_seconds() -> None:
    rows = 10_000_000
    labels = np.arange(rows) % 1000
    dataset: Any = TensorDataset(torch.empty(rows, 0))
    dataset.targets = labels
    loaders = [
        DataLoader(dataset, 64, balance="sqrt", seed=1),
        TorchDataLoader(dataset, 64, shuffle=True, drop_last=True),
    ]
    for loader in loaders:
        start = time.perf_counter()
        report = describe_epoch(loader)
        assert time.perf_counter() - start < 30
        assert report.images.tolist() == [rows // 1000] * 1000
        assert report.draws.sum() == rows


def test_long_tables_are_cut() -> None:
    dataset: Any = TensorDataset(torch.arange(400))
    dataset.targets = np.repeat(np.arange(100), 4)
    text = str(describe_epoch(DataLoader(dataset, 4, balance="class")))
    assert "... 70 classes" in text and len(text.splitlines()) == 33


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"balance": "class", "shuffle": False}, "shuffle=False, but balance= shuffles"),
        ({"max_repeats": 2, "epoch_length": 9, "sampler": [1]}, "out epoch_length= and max_rep"),
        ({"balance": 7}, "{class: images an epoch} or a function"),
        ({"balance": "class", "sampler": [1, 2]}, "sampler decides the order"),
        ({"max_repeats": 2, "batch_sampler": [[1]]}, "batch_sampler decides the order"),
        ({"per_batch": (2, 3), "batch_size": 5}, "batches of 6"),
        ({"per_batch": 7}, "per_batch is 7"),
        ({"balance": "classes"}, "Do you mean 'class'?"),
        ({"balance": {"nobody": 1.0}}, "is not there. There are ant, "),
        ({"balance": {"antt": 1.0}}, "Do you mean 'ant'?"),
    ],
)
def test_refusals(small_pack: Path, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as refused:
        DataLoader(ImageFolder(small_pack, CROP), **arguments)
    assert words in str(refused.value)


def test_a_dataset_without_classes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"TensorDataset has no targets"):
        DataLoader(TensorDataset(torch.arange(4)), balance="class")


def test_what_is_no_loader_or_no_epoch_is_refused() -> None:
    with pytest.raises(TypeError, match="takes a DataLoader, not Labelled"):
        describe_epoch(Labelled())  # type: ignore[arg-type]
    for epoch in (-1, 2**32):
        with pytest.raises(ValueError, match="epochs count from 0"):
            describe_epoch(DataLoader(Labelled(), 64, balance="repeat_factor"), epoch)


def test_public_names() -> None:
    assert fastload.BalancedSampler is type(DataLoader(Labelled(), balance="sqrt").sampler)
