"""A pack of .dct records serves what the pack of JPEG records serves, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader as TorchDataLoader
from torchvision import datasets
from torchvision.transforms import transforms as v1
from torchvision.transforms import v2

import fastload
from fastload.store import Codec
from tests.test_loader import ENGINES, EVAL, TRAIN, collected, loader_of


@pytest.fixture(scope="module")
def dct_pack(label_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packs") / "dct.pack"
    root = fastload.pack(label_folder, path, codec="dct").path
    codecs = fastload.ImageFolder(root).pack.index.codec
    assert {Codec(codec) for codec in codecs} == {Codec.DCT, Codec.QOI}
    return root


TRANSFORMS: dict[str, Any] = {
    "train": TRAIN,
    "eval": EVAL,
    "small crops": v1.Compose(
        [
            v1.RandomResizedCrop(12, scale=(0.02, 0.1)),
            v1.RandomVerticalFlip(),
            v1.PILToTensor(),
        ]
    ),
    "padded": v1.Compose([v1.RandomCrop(140, padding=4, pad_if_needed=True), v1.ToTensor()]),
    "own pixels": v1.Compose([v1.CenterCrop((40, 33)), v1.PILToTensor()]),
    "grey": v1.Compose([v1.CenterCrop(32), v1.Grayscale(), v1.ToTensor()]),
    "half": v2.Compose(
        [v2.RandomResizedCrop(16), v2.PILToTensor(), v2.ToDtype(torch.float16, scale=True)]
    ),
    "per sample": v1.Compose([v1.CenterCrop(20), v1.ToTensor(), v1.Lambda(lambda x: x * 2)]),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_same_batches(small_pack: Path, dct_pack: Path, name: str, engine: str) -> None:
    arguments: dict[str, Any] = {"shuffle": True, "seed": 11, "engine": engine}
    for _ in range(2):
        images, labels = collected(loader_of(dct_pack, TRANSFORMS[name], 5, **arguments))
        wanted, classes = collected(loader_of(small_pack, TRANSFORMS[name], 5, **arguments))
        assert torch.equal(images, wanted) and torch.equal(labels, classes)


def test_same_fast_decode_where_nothing_is_scaled(small_pack: Path, dct_pack: Path) -> None:
    crop = v1.Compose([v1.CenterCrop(36), v1.PILToTensor()])
    ours, wanted = (
        collected(loader_of(pack, crop, 4, decode="fast"))[0] for pack in (dct_pack, small_pack)
    )
    assert torch.equal(ours, wanted)


def test_same_items_as_image_folder(label_folder: Path, dct_pack: Path) -> None:
    ours, theirs = fastload.ImageFolder(dct_pack), datasets.ImageFolder(label_folder)
    assert ours.classes == theirs.classes and ours.targets == theirs.targets
    for (image, label), (wanted, target), (path, _) in zip(ours, theirs, ours.samples, strict=True):
        assert label == target
        np.testing.assert_array_equal(np.asarray(image), np.asarray(wanted))
        np.testing.assert_array_equal(np.asarray(ours.loader(path)), np.asarray(wanted))


def test_same_batches_through_torchs_own_loader(label_folder: Path, dct_pack: Path) -> None:
    """Whole batches are decoded natively in its workers."""
    ours = TorchDataLoader(fastload.ImageFolder(dct_pack, EVAL), batch_size=6, num_workers=2)
    theirs = TorchDataLoader(datasets.ImageFolder(label_folder, EVAL), batch_size=6)
    for (images, labels), (wanted, targets) in zip(ours, theirs, strict=True):
        assert torch.equal(images, wanted) and torch.equal(labels, targets)


@pytest.mark.real_data
@pytest.mark.parametrize("engine", ENGINES)
def test_real_photos(real_photos: Path, tmp_path: Path, engine: str) -> None:
    transform = v1.Compose([v1.RandomResizedCrop(96), v1.RandomHorizontalFlip(), v1.PILToTensor()])
    batches = [
        collected(
            loader_of(
                fastload.pack(real_photos, tmp_path / f"{codec}.pack", codec=codec).path,
                transform,
                64,
                shuffle=True,
                seed=1,
                engine=engine,
            )
        )
        for codec in ("jpeg", "dct")
    ]
    assert torch.equal(batches[0][0], batches[1][0])
    assert torch.equal(batches[0][1], batches[1][1])
