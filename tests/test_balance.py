"""Balanced loaders: what they serve, what they say, and what they refuse."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, Subset, TensorDataset, WeightedRandomSampler
from torch.utils.data import DataLoader as TorchDataLoader
from torchvision.transforms import transforms as v1

import fastload
from fastload import DataLoader, ImageFolder, describe_epoch
from tests.sample.test_balanced import LONG_LABELS, LONG_TAIL

pytestmark = [
    pytest.mark.filterwarnings("ignore:Images of"),
    pytest.mark.filterwarnings("ignore:An epoch leaves out"),
]
CROP = v1.Compose([v1.RandomResizedCrop(24), v1.PILToTensor()])


class Labelled(TensorDataset):
    """The data set that this library was asked for, without its pictures."""

    def __init__(self) -> None:
        self.targets = LONG_LABELS.tolist()
        self.classes = [f"class {label}" for label in range(len(LONG_TAIL))]
        super().__init__(torch.arange(len(LONG_LABELS)), torch.tensor(LONG_LABELS))


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
    assert row.split() == ["class", "18", "3", "181", "60.33", "60-61", "0", "%"]


def test_what_harms_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"an epoch|An epoch") as caught:
        DataLoader(Labelled(), 64, balance="class")
    said = [str(warning.message) for warning in caught]
    assert len(said) == 2
    assert "each of the 3 of 'class 18' 60.3 times" in said[0] and "max_repeats=10" in said[0]
    assert "87 % of the 1405 images of 'class 0'" in said[1] and "within 8 epochs" in said[1]
    assert {warning.filename for warning in caught} == {__file__}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DataLoader(Labelled(), 64, balance="repeat_factor")


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


def test_public_names() -> None:
    assert fastload.BalancedSampler is type(DataLoader(Labelled(), balance="sqrt").sampler)
