"""``ImageFolder`` of one part of a split: the same samples as ``Subset``, at the pack's speed."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, Subset
from torch.utils.data import DataLoader as TorchDataLoader
from torchvision.transforms import transforms as v1

import fastload
from fastload.errors import PackError, StateError
from fastload.view import view_of

EVAL = v1.Compose([v1.Resize(40), v1.CenterCrop(32), v1.ToTensor()])
TRAIN = v1.Compose([v1.RandomResizedCrop(16), v1.ToTensor()])


@pytest.fixture(scope="module")
def pack(small_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of 22 images with the splits folds3 and holdout25."""
    copy = tmp_path_factory.mktemp("parts") / "copy.pack"
    shutil.copytree(small_pack, copy)
    fastload.folds(copy, 3, group="none").save()
    fastload.holdout(copy, 0.25, group="none").save()
    return copy


def both(
    pack: Path, part: str, transform: object = EVAL
) -> tuple[fastload.ImageFolder, Subset[object]]:
    """Fold 1 of folds3 as a dataset of its own, and as a Subset of the whole pack."""
    ours = fastload.ImageFolder(pack, transform, split="folds3", fold=1, part=part)
    places = fastload.folds(pack, 3, group="none").part(1, part)
    return ours, Subset(fastload.ImageFolder(pack, transform), places)


@pytest.mark.parametrize("part", ["train", "val"])
def test_a_part_is_the_subset(pack: Path, part: str) -> None:
    ours, subset = both(pack, part)
    whole = subset.dataset
    assert 0 < len(ours) == len(subset) < 22
    assert ours.classes == whole.classes and ours.class_to_idx == whole.class_to_idx
    assert list(ours.targets) == [whole.targets[place] for place in subset.indices]
    assert np.asarray(ours.targets).tolist() == list(ours.targets)
    assert ours.class_counts.tolist() == np.bincount(ours.targets, minlength=4).tolist()
    assert [ours.targets[place] for place in range(len(ours))] == list(ours.targets)
    assert ours.samples == [whole.samples[place] for place in subset.indices] == ours.imgs
    for place in (0, -1, len(ours) - 1):
        assert torch.equal(ours[place][0], subset[place][0]) and ours[place][1] == subset[place][1]
    for sample, wanted in zip(ours.__getitems__([1, 0, -1]), (1, 0, -1), strict=True):
        assert torch.equal(sample[0], subset[wanted][0]) and sample[1] == subset[wanted][1]
    for ask in (lambda: ours[len(ours)], lambda: ours.__getitems__([len(ours)])):
        with pytest.raises(IndexError, match=f"a dataset of {len(ours)} samples"):
            ask()


def test_parts_are_all_there_is(pack: Path) -> None:
    seen: list[tuple[str, int]] = []
    for fold in range(3):
        parts = [
            fastload.ImageFolder(pack, split="folds3", fold=fold, part=part)
            for part in ("train", "val")
        ]
        assert sum(map(len, parts)) == 22
        assert not set(parts[0].samples) & set(parts[1].samples)
        seen += parts[1].samples
    assert sorted(seen) == sorted(fastload.ImageFolder(pack).samples)
    held = fastload.ImageFolder(pack, split="holdout25", part="val")
    assert len(held) + len(fastload.ImageFolder(pack, split="holdout25", part="train")) == 22
    assert held.samples == fastload.ImageFolder(pack, split="holdout25", fold=0, part="val").samples


@pytest.mark.parametrize("engine", ["native", "torch"])
def test_the_loader_takes_parts_natively(pack: Path, engine: str) -> None:
    ours, subset = both(pack, "train", TRAIN)
    assert view_of(ours) is not None
    loaders = [
        fastload.DataLoader(dataset, 4, shuffle=True, seed=3, num_workers=2, engine=engine)
        for dataset in (ours, subset)
    ]
    for _ in range(2):
        for (images, labels), (wanted, wanted_labels) in zip(*loaders, strict=True):
            assert torch.equal(images, wanted) and torch.equal(labels, wanted_labels)


def test_subsets_and_unions_of_parts(pack: Path) -> None:
    train, _ = both(pack, "train")
    val, _ = both(pack, "val")
    joined = ConcatDataset([Subset(train, [2, 0]), val])
    located = view_of(joined).locate(np.arange(len(joined)))
    paths = [val.pack.index.path(int(record)) for record in located.records]
    samples = [train.samples[2], train.samples[0], *val.samples]
    assert [str(pack / path) for path in paths] == [path for path, _ in samples]
    assert located.labels.tolist() == [label for _, label in samples]


@pytest.mark.parametrize("workers", [0, 2])
def test_torchs_loader_over_a_part(pack: Path, workers: int) -> None:
    ours, subset = both(pack, "val")
    loaders = [TorchDataLoader(dataset, 3, num_workers=workers) for dataset in (ours, subset)]
    for (images, labels), (wanted, wanted_labels) in zip(*loaders, strict=True):
        assert torch.equal(images, wanted) and torch.equal(labels, wanted_labels)


def test_a_pickled_part_stays_what_it_was(pack: Path, tmp_path: Path) -> None:
    shutil.copytree(pack, tmp_path / "own.pack")
    ours = fastload.ImageFolder(tmp_path / "own.pack", split="folds3", fold=0, part="val")
    samples, data = list(ours.samples), pickle.dumps(ours)
    fastload.folds(tmp_path / "own.pack", 3, group="none", seed=9).save(replace=True)
    assert pickle.loads(data).samples == samples
    renewed = fastload.ImageFolder(tmp_path / "own.pack", split="folds3", fold=0, part="val")
    assert renewed.samples != samples


def test_a_state_of_another_part_is_refused(pack: Path) -> None:
    parts = [
        fastload.ImageFolder(pack, EVAL, split="folds3", fold=fold, part="train")
        for fold in (0, 1, 0)
    ]
    # As many samples, so that only their identity tells them apart.
    other = Subset(fastload.ImageFolder(pack, EVAL), range(len(parts[0])))
    saved, _, same = (fastload.DataLoader(part, 2, shuffle=True, seed=1) for part in parts)
    batches = iter(saved)
    next(batches)
    state = saved.state_dict()
    for dataset in (parts[1], other):
        with pytest.raises(StateError, match="the pack, and the part of it"):
            fastload.DataLoader(dataset, 2, shuffle=True, seed=1).load_state_dict(state)
    same.load_state_dict(state)
    for (images, _), (wanted, _) in zip(same, batches, strict=True):
        assert torch.equal(images, wanted)


def test_a_split_that_was_not_saved(pack: Path) -> None:
    split = fastload.folds(pack, 4, group="none", seed=5)
    ours = fastload.ImageFolder(pack, split=split, fold=3, part="val")
    listed = fastload.ImageFolder(pack).samples
    assert ours.samples == [listed[place] for place in split.part(3, "val")]


def test_what_is_not_there_is_told(pack: Path, label_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no split 'folds5', it has folds3, holdout25"):
        fastload.ImageFolder(pack, split="folds5", fold=0, part="val")
    with pytest.raises(ValueError, match=r"fold is 3: this split .* has 0 to 2"):
        fastload.ImageFolder(pack, split="folds3", fold=3, part="val")
    with pytest.raises(ValueError, match=r"fold is None: this split .* has 0 to 2"):
        fastload.ImageFolder(pack, split="folds3", part="val")
    with pytest.raises(ValueError, match=r"split is 3: it takes the name of one, as 'folds5'"):
        fastload.ImageFolder(pack, split=3, fold=0, part="val")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="part='train' or part='val'"):
        fastload.ImageFolder(pack, split="folds3", fold=0)
    with pytest.raises(ValueError, match="choose 'train' or 'val'"):
        fastload.ImageFolder(pack, split="folds3", fold=0, part="test")
    with pytest.raises(ValueError, match=r"name it, as split='folds5'\. .* has folds3, holdout25"):
        fastload.ImageFolder(pack, fold=0, part="val")
    one = fastload.pack(label_folder, tmp_path / "other.pack", seed=1).path
    with pytest.raises(ValueError, match=r"The split is of .*copy.pack, not of the pack"):
        fastload.ImageFolder(one, split=fastload.folds(pack, 3, group="none"), fold=0, part="val")


def test_repr_tells_the_part(pack: Path) -> None:
    ours = fastload.ImageFolder(pack, split="folds3", fold=2, part="val")
    assert f"    Number of datapoints: {len(ours)}\n" in repr(ours)
    assert repr(ours).endswith("\n    Part: val of folds3, fold 2")
