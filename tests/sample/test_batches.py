"""Cutting epochs into batches; positions say which draws a sample gets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from torch.utils.data import BatchSampler, DistributedSampler, RandomSampler, SequentialSampler

from fastload.sample import (
    Division,
    EpochCounter,
    InOrderSampler,
    PermutationSampler,
    Slice,
    batches_of_indices,
    batches_of_sampler,
)

Lists = list[tuple[list[int], list[int]]]


def lists(batches: Iterator[Slice]) -> Lists:
    return [(one.indices.tolist(), one.positions.tolist()) for one in batches]


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9])
@pytest.mark.parametrize("size", [1, 4, 8])
@pytest.mark.parametrize("drop_last", [False, True])
def test_all_ways_to_cut_agree_with_torch(length: int, size: int, drop_last: bool) -> None:
    order = np.arange(length)[::-1].copy()
    expected = list(BatchSampler(order.tolist(), size, drop_last))
    division = Division(size, drop_last=drop_last)
    from_order = lists(division.slices(division.share(order, 0), length, 0))
    assert [indices for indices, _ in from_order] == expected
    assert lists(batches_of_sampler(order.tolist(), size, drop_last)) == from_order
    batch_sampler = BatchSampler(order.tolist(), size, drop_last)
    assert lists(batches_of_indices(batch_sampler)) == from_order
    positions = [position for _, batch in from_order for position in batch]
    assert positions == list(range(len(positions)))


@pytest.mark.parametrize("skip", [0, 1, 4, 6, 10])
def test_what_has_been_served_is_left_out(skip: int) -> None:
    order = np.arange(10)[::-1].tolist()
    for batches in (
        list(batches_of_sampler(order, 4, False, skip)),
        list(batches_of_indices(BatchSampler(order, 4, False), skip)),
    ):
        assert [index for one in batches for index in one.indices.tolist()] == order[skip:]
        positions = [place for one in batches for place in one.positions.tolist()]
        assert positions == list(range(skip, 10))
        assert [one.after for one in batches] == [int(one.positions[-1]) + 1 for one in batches]
    # Batches of the user's own keep their ends.
    ends = [one.after for one in batches_of_indices(BatchSampler(order, 4, False), skip)]
    assert ends == [end for end in (4, 8, 10) if end > skip]


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
