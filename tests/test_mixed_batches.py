"""A loader mixes its batches, and an interrupted epoch goes on with the same mixtures."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, TensorDataset
from torchvision.transforms import transforms as v1

import fastload
from fastload.augment import CutMix, Draws, MixUp, PairedTargets, RandomMix

TRAIN = v1.Compose([v1.RandomResizedCrop(8), v1.RandomHorizontalFlip(), v1.PILToTensor()])
MIX = RandomMix([MixUp(4, alpha=0.4), CutMix(4)])
SEED = 3


def loader_of(pack: Path, **kwargs: Any) -> fastload.DataLoader:
    arguments = {"batch_size": 4, "shuffle": True, "seed": SEED, "num_workers": 2, "mix": MIX}
    return fastload.DataLoader(fastload.ImageFolder(pack, TRAIN), **arguments | kwargs)


def assert_same(ones: Any, others: Any) -> None:
    for (images, targets), (expected, wanted) in zip(ones, others, strict=True):
        assert torch.equal(images, expected) and torch.equal(targets, wanted)


def mixed_by_hand(batches: Any, epoch: int, ranks: int = 1, rank: int = 0) -> list[Any]:
    mixed, position = [], rank
    for images, labels in batches:
        draws = Draws(SEED, epoch, np.array([position]))
        mixed.append(MIX.at(images, labels, draws))
        position += ranks * len(images)
    return mixed


@pytest.mark.parametrize("engine", ["native", "torch"])
def test_batches_are_mixed_by_the_position_of_their_first_sample(
    small_pack: Path, engine: str
) -> None:
    mixing = loader_of(small_pack, engine=engine)
    plain = loader_of(small_pack, engine=engine, mix=None)
    for epoch in range(2):
        batches = list(mixing)
        assert_same(batches, mixed_by_hand(plain, epoch))
        for images, targets in batches:
            assert images.dtype == torch.uint8 and targets.shape == (len(images), 4)
            torch.testing.assert_close(targets.sum(1), torch.ones(len(images)))


@pytest.mark.parametrize("served", range(7))
def test_an_interrupted_epoch_goes_on_with_the_same_mixtures(small_pack: Path, served: int) -> None:
    whole = loader_of(small_pack, num_workers=1)
    expected = list(whole) + list(whole)
    interrupted = loader_of(small_pack)
    running = iter(interrupted)
    assert_same(islice(running, served), expected[:served])
    state = interrupted.state_dict()

    goes_on = loader_of(small_pack, num_workers=0)
    goes_on.load_state_dict(state)
    rest = list(goes_on) + (list(goes_on) if served < 6 else [])
    assert_same(rest, expected[served:])


def test_ranks_draw_their_own_mixtures(small_pack: Path) -> None:
    for rank in range(2):
        share = {"rank": rank, "world_size": 2, "batch_size": 3}
        mixing, plain = loader_of(small_pack, **share), loader_of(small_pack, mix=None, **share)
        assert_same(mixing, mixed_by_hand(plain, 0, ranks=2, rank=rank))


def test_the_last_epochs_can_be_left_as_they_are(small_pack: Path) -> None:
    loader, plain = loader_of(small_pack), loader_of(small_pack, mix=None)
    for epoch in range(4):
        loader.mix = MIX if epoch < 2 else None
        batches = list(plain)
        assert_same(loader, mixed_by_hand(batches, epoch) if epoch < 2 else batches)


def test_pairs_and_devices(small_pack: Path) -> None:
    pairs = loader_of(small_pack, mix=MixUp(4, targets="pairs"), device="cpu", pin_memory=True)
    for images, targets in pairs:
        assert isinstance(targets, PairedTargets)
        assert len(targets.first) == len(targets.second) == len(images)
    with redirect_stdout(io.StringIO()) as said:
        pairs.explain()
    assert "batches mixed by MixUp(num_classes=4, alpha=1.0, targets='pairs')" in said.getvalue()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_batches_are_mixed_on_the_gpu(small_pack: Path) -> None:
    there, here = loader_of(small_pack, device="cuda", pin_memory=True), loader_of(small_pack)
    for (images, targets), (expected, wanted) in zip(there, here, strict=True):
        assert images.is_cuda and targets.is_cuda
        assert (images.cpu().int() - expected.int()).abs().max() <= 1
        torch.testing.assert_close(targets.cpu(), wanted)


def test_what_cannot_be_mixed_is_refused(small_pack: Path) -> None:
    with pytest.raises(TypeError, match="give a MixUp, CutMix or RandomMix"):
        loader_of(small_pack, mix="mixup")
    with pytest.raises(ValueError, match="3 classes, the dataset has 4"):
        loader_of(small_pack, mix=MixUp(3))
    with pytest.raises(ValueError, match="batch_size"):
        loader_of(small_pack, batch_size=None)
    with pytest.raises(ValueError, match="made of packs"):
        fastload.DataLoader(TensorDataset(torch.zeros(4)), mix=MIX)
    loader = loader_of(small_pack, collate_fn=len)
    with pytest.raises(TypeError, match="images and targets, and this is a int"):
        next(iter(loader))
    loader = loader_of(small_pack, mix=None)
    with pytest.raises(ValueError, match="the dataset has 4"):
        loader.mix = CutMix(2)


def test_mixed_targets_of_targets_that_a_transform_gives(small_pack: Path) -> None:
    merged = fastload.ImageFolder(small_pack, TRAIN, target_transform=lambda label: label // 2)
    loader = fastload.DataLoader(
        ConcatDataset([merged, merged]), 4, shuffle=True, mix=MixUp(2), seed=1
    )
    for images, targets in loader:
        assert targets.shape == (len(images), 2)
