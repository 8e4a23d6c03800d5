"""``fastload.ImageFolder`` is torchvision's, over a pack."""

from __future__ import annotations

import multiprocessing
import pickle
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader as TorchDataLoader
from torchvision import datasets
from torchvision.transforms import transforms as v1

import fastload
from fastload.errors import PackError, RecordError

EVAL = v1.Compose([v1.Resize(40), v1.CenterCrop(32), v1.ToTensor()])


def double(label: int) -> int:
    return 2 * label


def test_attributes_are_torchvisions(label_folder: Path, small_pack: Path) -> None:
    theirs = datasets.ImageFolder(label_folder)
    ours = fastload.ImageFolder(small_pack)
    assert ours.classes == theirs.classes
    assert ours.class_to_idx == theirs.class_to_idx
    assert len(ours) == len(theirs)
    assert ours.targets == theirs.targets
    assert list(ours.targets) == theirs.targets
    relative = [
        (str(Path(path).relative_to(label_folder)), label) for path, label in theirs.samples
    ]
    assert [(str(Path(p).relative_to(small_pack)), label) for p, label in ours.samples] == relative
    assert ours.imgs == ours.samples and ours.samples == list(ours.imgs)
    assert ours.class_counts.tolist() == np.bincount(theirs.targets).tolist()


def test_lazy_lists_act_as_lists(small_pack: Path) -> None:
    ours = fastload.ImageFolder(small_pack)
    labels = list(ours.targets)
    assert np.array_equal(np.array(ours.targets), labels)
    assert torch.tensor(ours.targets).tolist() == labels
    assert torch.as_tensor(np.asarray(ours.targets)).tolist() == labels
    assert Counter(ours.targets) == Counter(labels)
    assert ours.targets[-1] == labels[-1] and ours.targets[2:7] == labels[2:7]
    assert isinstance(ours.targets[3], int)
    assert ours.samples[-2] == ours.samples[len(ours) - 2]
    assert ours.samples[3:5] == [ours.samples[3], ours.samples[4]]
    assert ours.targets.index(1) == labels.index(1) and ours.targets.count(0) == labels.count(0)
    assert ours.targets != labels[:-1] and ours.samples != labels
    with pytest.raises(IndexError):
        ours.samples[len(ours)]


def test_images_are_torchvisions(label_folder: Path, small_pack: Path) -> None:
    theirs = datasets.ImageFolder(label_folder)
    ours = fastload.ImageFolder(small_pack)
    for index in range(len(theirs)):
        image, label = ours[index]
        expected, expected_label = theirs[index]
        assert isinstance(image, Image.Image) and image.mode == "RGB"
        assert label == expected_label and type(label) is int
        assert np.array_equal(np.asarray(image), np.asarray(expected))
    assert ours[-1][1] == theirs[-1][1]
    with pytest.raises(IndexError, match="outside a dataset of 22"):
        ours[22]


def test_loader_attribute_loads_a_samples_path(small_pack: Path) -> None:
    ours = fastload.ImageFolder(small_pack)
    path, _ = ours.samples[4]
    assert np.array_equal(np.asarray(ours.loader(path)), np.asarray(ours[4][0]))
    with pytest.raises(FileNotFoundError, match="not an image of the pack"):
        ours.loader(str(small_pack / "ant/none.jpg"))


def test_transforms_are_called(label_folder: Path, small_pack: Path) -> None:
    theirs = datasets.ImageFolder(label_folder, EVAL, double)
    ours = fastload.ImageFolder(str(small_pack), EVAL, double)
    for index in (0, 9, 21):
        assert torch.equal(ours[index][0], theirs[index][0])
        assert ours[index][1] == theirs[index][1]


def test_many_at_once_equal_one_at_a_time(small_pack: Path) -> None:
    ours = fastload.ImageFolder(small_pack, EVAL, double)
    indices = [5, 0, 21, 5, -1]
    for (image, label), index in zip(ours.__getitems__(indices), indices, strict=True):
        expected, expected_label = ours[index]
        assert torch.equal(image, expected) and label == expected_label
    assert ours.__getitems__([]) == []
    with pytest.raises(IndexError, match="outside a dataset"):
        ours.__getitems__([0, 22])


def test_many_at_once_without_a_transform_are_pil_images(small_pack: Path) -> None:
    ours = fastload.ImageFolder(small_pack)
    for (image, _), index in zip(ours.__getitems__([3, 8]), (3, 8), strict=True):
        assert np.array_equal(np.asarray(image), np.asarray(ours[index][0]))


def test_torchs_generator_governs_what_many_at_once_draw(small_pack: Path) -> None:
    ours = fastload.ImageFolder(small_pack, v1.Compose([v1.RandomResizedCrop(16), v1.ToTensor()]))

    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return torch.stack([image for image, _ in ours.__getitems__([1, 2])])

    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))


@pytest.mark.parametrize("workers", [0, 2])
def test_torchs_loader_over_it(label_folder: Path, small_pack: Path, workers: int) -> None:
    theirs = TorchDataLoader(datasets.ImageFolder(label_folder, EVAL), 5)
    # Used in this process first, so that forked workers inherit a started engine.
    dataset = fastload.ImageFolder(small_pack, EVAL)
    dataset.__getitems__([0])
    ours = TorchDataLoader(dataset, 5, num_workers=workers)
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine[0], other[0]) and torch.equal(mine[1], other[1])


def first_image(dataset: fastload.ImageFolder) -> int:
    return int(np.asarray(dataset[0][0]).sum())


def test_pickling_and_spawning(small_pack: Path) -> None:
    ours = fastload.ImageFolder(small_pack, target_transform=double)
    again = pickle.loads(pickle.dumps(ours))
    assert again.samples == ours.samples and again[7][1] == ours[7][1]
    assert len(pickle.dumps(ours)) < 5000
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(first_image, (ours,)) == first_image(ours)


def test_repr_is_torchvisions(label_folder: Path, small_pack: Path) -> None:
    theirs = repr(datasets.ImageFolder(label_folder, EVAL, double))
    ours = repr(fastload.ImageFolder(small_pack, EVAL, double))
    assert ours == theirs.replace(str(label_folder), str(small_pack))
    bare = repr(datasets.ImageFolder(label_folder))
    assert repr(fastload.ImageFolder(small_pack)) == bare.replace(
        str(label_folder), str(small_pack)
    )


def test_a_label_folder_is_to_be_packed_first(label_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(PackError, match="fastload pack"):
        fastload.ImageFolder(label_folder)
    with pytest.raises(FileNotFoundError):
        fastload.ImageFolder(tmp_path / "nowhere")


def test_arguments_that_a_pack_cannot_honour_are_refused(small_pack: Path) -> None:
    with pytest.raises(TypeError, match="takes no loader"):
        fastload.ImageFolder(small_pack, loader=Image.open)
    with pytest.raises(TypeError, match="takes no is_valid_file"):
        fastload.ImageFolder(small_pack, is_valid_file=lambda path: True)


def test_samples_cannot_be_replaced_in_silence(small_pack: Path) -> None:
    ours = fastload.ImageFolder(small_pack)
    with pytest.raises(AttributeError, match="Subset"):
        ours.samples = ours.samples[:3]
    with pytest.raises(AttributeError, match="target_transform"):
        ours.targets = [0]


@pytest.mark.parametrize("relative", [False, True])
def test_a_damaged_record_is_named(
    small_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: bool
) -> None:
    broken = damaged_copy(small_pack, tmp_path, index=3)
    monkeypatch.chdir(tmp_path)
    ours = fastload.ImageFolder(broken.name if relative else broken)
    record = int(ours.pack.index.listing[3])
    for access in (lambda: ours[3], lambda: ours.__getitems__([0, 3])):
        with pytest.raises(RecordError, match="checksum") as caught:
            access()
        assert caught.value.record == record
        assert caught.value.path == ours.pack.index.path(record)
        assert caught.value.shard == "shards/00000.tar"
    assert ours[4][1] == 0


def damaged_copy(pack: Path, folder: Path, index: int) -> Path:
    """A copy of a pack with one byte of one sample changed."""
    broken = folder / "broken.pack"
    shutil.copytree(pack, broken)
    opened = fastload.ImageFolder(pack).pack
    record = int(opened.index.listing[index])
    place = int(opened.index.offset[record]) + int(opened.index.length[record]) // 2
    shard = broken / "shards/00000.tar"
    data = bytearray(shard.read_bytes())
    data[place] ^= 0x55
    shard.write_bytes(data)
    return broken
