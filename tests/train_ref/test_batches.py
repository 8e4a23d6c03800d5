"""Batches of features: each image once, shares that make up the whole, going on anywhere."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from train_ref.batches import FeatureBatches, resolutions
from train_ref.config import Config
from train_ref.distributed import Place
from train_ref.errors import TrainError

CPU = torch.device("cpu")


def batches_of(
    images: int, batch: int, rank: int = 0, ranks: int = 1, **more: str
) -> FeatureBatches:
    features = torch.arange(images, dtype=torch.float32)[:, None]
    labels = torch.arange(images) % 2
    config = Config(batch_size=batch, seed=3)
    return FeatureBatches(features, labels, ("a", "b"), config, Place(CPU, rank, ranks))


def rows(batches: FeatureBatches, epoch: int = 0) -> list[list[float]]:
    return [inputs[:, 0].tolist() for inputs, _ in batches.begin(epoch)]


@given(st.integers(2, 40), st.integers(1, 12), st.integers(1, 3))
def test_shares_make_up_the_epoch_of_one_process(images: int, share: int, ranks: int) -> None:
    batch = share * ranks
    alone = rows(batches_of(images, batch))
    shares = [rows(batches_of(images, batch, rank, ranks)) for rank in range(ranks)]
    assert len({tuple(map(len, one)) for one in shares}) == 1  # as many steps, of as many images
    for step, together in enumerate(alone):
        found = sorted(value for one in shares for value in one[step])
        if images >= batch:
            assert found == sorted(together)
        else:
            assert set(found) == set(together)
    seen = [value for one in alone for value in one]
    assert len(set(seen)) == len(seen) == max(images // batch * batch, min(images, batch))


def test_epochs_differ_and_repeat() -> None:
    batches = batches_of(20, 5)
    first, second = rows(batches, 0), rows(batches, 1)
    assert first != second and rows(batches_of(20, 5), 1) == second


def test_it_goes_on_at_the_next_batch() -> None:
    whole = rows(batches_of(20, 5), 2)
    interrupted = batches_of(20, 5)
    begun = interrupted.begin(2)
    next(begun)
    next(begun)
    resumed = batches_of(20, 5)
    resumed.load_state_dict(interrupted.state_dict())
    assert rows(resumed, 2) == whole[2:]
    assert rows(resumed, 3) == rows(batches_of(20, 5), 3)


def test_labels_come_with_their_features_and_are_balanced() -> None:
    features = torch.arange(20, dtype=torch.float32)[:, None]
    labels = (torch.arange(20) >= 15).long()
    config = Config(batch_size=10, balance="class")
    batches = FeatureBatches(features, labels, ("a", "b"), config, Place(CPU))
    assert batches.draws.tolist() == [10.0, 10.0]
    for inputs, targets in batches.begin(0):
        assert torch.equal(targets, (inputs[:, 0] >= 15).long())


@pytest.mark.parametrize("text", ["128", "0:128:3", "5:128,5:160", "5:128,2:160", "-1:128", "0:0"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(TrainError, match="FIRST_EPOCH:SIZE"):
        resolutions(Config(progressive=tuple(text.split(","))))
