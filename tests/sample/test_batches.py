"""Cutting epochs into batches; positions say which draws a sample gets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from torch.utils.data import BatchSampler, DistributedSampler, RandomSampler, SequentialSampler

from fastload.sample import (
    EpochCounter,
    InOrderSampler,
    PermutationSampler,
    batches_of_indices,
    batches_of_order,
    batches_of_sampler,
)

Lists = list[tuple[list[int], list[int]]]


def lists(batches: Iterator[tuple[np.ndarray, np.ndarray]]) -> Lists:
    return [(indices.tolist(), positions.tolist()) for indices, positions in batches]


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9])
@pytest.mark.parametrize("size", [1, 4, 8])
@pytest.mark.parametrize("drop_last", [False, True])
def test_all_ways_to_cut_agree_with_torch(length: int, size: int, drop_last: bool) -> None:
    order = np.arange(length)[::-1].copy()
    expected = list(BatchSampler(order.tolist(), size, drop_last))
    from_order = lists(batches_of_order(order, size, drop_last))
    assert [indices for indices, _ in from_order] == expected
    assert lists(batches_of_sampler(order.tolist(), size, drop_last)) == from_order
    batch_sampler = BatchSampler(order.tolist(), size, drop_last)
    assert lists(batches_of_indices(batch_sampler)) == from_order
    positions = [position for _, batch in from_order for position in batch]
    assert positions == list(range(len(positions)))


def test_ranks_share_no_position() -> None:
    seen: list[int] = []
    for rank in range(3):
        sampler = DistributedSampler(range(12), num_replicas=3, rank=rank, shuffle=False)
        batches = lists(batches_of_sampler(sampler, 2, drop_last=False))
        # Without shuffling, DistributedSampler serves index r, r + W, ... just as positions go.
        assert [indices for indices, _ in batches] == [positions for _, positions in batches]
        seen += [position for _, positions in batches for position in positions]
    assert sorted(seen) == list(range(12))


def test_a_sampler_is_asked_for_no_more_than_needed() -> None:
    asked: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            asked.append(len(asked))
            yield asked[-1]

    batches = batches_of_sampler(endless(), 3, drop_last=False)
    assert asked == []
    next(batches)
    assert asked == [0, 1, 2]


def test_permutation_is_a_function_of_seed_and_epoch() -> None:
    sampler = PermutationSampler(range(100), seed=5)
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(100))
    assert first != second
    assert first == sampler.order(0).tolist()
    sampler.set_epoch(0)
    assert list(sampler) == first
    assert PermutationSampler(range(100), seed=6).order(0).tolist() != first


def test_kinds_that_frameworks_ask_for() -> None:
    assert isinstance(PermutationSampler(range(3), 0), RandomSampler)
    assert isinstance(InOrderSampler(range(3)), SequentialSampler)
    assert list(InOrderSampler(range(3))) == InOrderSampler(range(3)).order(9).tolist()


def test_a_negative_epoch_is_refused() -> None:
    with pytest.raises(ValueError, match="count from 0"):
        EpochCounter().set(-1)
