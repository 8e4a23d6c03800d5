"""Shares of an epoch: together the ranks serve what one process serves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DistributedSampler

from fastload.sample import UNEVEN, Division, Slice

LENGTHS = st.integers(0, 60)
SIZES = st.integers(1, 7)
RANKS = st.integers(1, 6)


def cut(
    length: int, start: int, size: int, ranks: int, uneven: str, drop_last: bool = False
) -> list[list[Slice]]:
    """The slices of each rank; the order is that of falling indices."""
    order = np.arange(length)[::-1].copy()
    found = []
    for rank in range(ranks):
        division = Division(size, rank, ranks, uneven, drop_last)
        slices = list(division.slices(division.share(order, start), length, start))
        assert len(slices) == division.steps(length, start)
        found.append(slices)
    return found


def merged(ranks: list[list[Slice]]) -> dict[int, int]:
    """Index by position, over all ranks; no position twice."""
    pairs = [
        pair
        for slices in ranks
        for one in slices
        for pair in zip(one.positions.tolist(), one.indices.tolist(), strict=True)
    ]
    assert len(dict(pairs)) == len(pairs)
    return dict(sorted(pairs))


# 10 samples (9, 8, ... 0), batches of 2, 3 ranks: the batches of each rank.
TABLE = {
    ("pad", False): ([[9, 6], [3, 0]], [[8, 5], [2, 9]], [[7, 4], [1, 8]]),
    ("drop", False): ([[9, 6], [3]], [[8, 5], [2]], [[7, 4], [1]]),
    ("exact", False): ([[9, 6], [3, 0]], [[8, 5], [2]], [[7, 4], [1]]),
    ("pad", True): ([[9, 6], [3, 0]], [[8, 5], [2, 9]], [[7, 4], [1, 8]]),
    ("drop", True): ([[9, 6]], [[8, 5]], [[7, 4]]),
    ("exact", True): ([[9, 6]], [[8, 5]], [[7, 4]]),
}


@pytest.mark.parametrize(("uneven", "drop_last"), TABLE)
def test_table(uneven: str, drop_last: bool) -> None:
    found = cut(10, 0, 2, 3, uneven, drop_last)
    batches = tuple([one.indices.tolist() for one in slices] for slices in found)
    assert batches == TABLE[uneven, drop_last]


def test_steps_may_differ_by_one_where_each_sample_comes_once() -> None:
    assert [len(slices) for slices in cut(13, 0, 2, 3, "exact")] == [3, 2, 2]
    assert [len(slices) for slices in cut(2, 0, 2, 3, "exact")] == [1, 1, 0]
    assert [len(slices) for slices in cut(2, 0, 2, 5, "pad")] == [1] * 5


@given(LENGTHS, SIZES, RANKS, st.sampled_from(UNEVEN), st.booleans())
def test_the_union_is_the_epoch_of_one_process(
    length: int, size: int, ranks: int, uneven: str, drop_last: bool
) -> None:
    served = merged(cut(length, 0, size, ranks, uneven, drop_last))
    assert list(served) == list(range(len(served)))
    whole = [length - 1 - position % length for position in served]
    assert list(served.values()) == whole
    if uneven == "exact" and not drop_last:
        assert len(served) == length
    if uneven == "pad" and not drop_last:
        assert length <= len(served) < length + ranks
    if uneven == "drop" and not drop_last:
        assert length - ranks < len(served) <= length


@given(LENGTHS, SIZES, RANKS, st.sampled_from(UNEVEN), st.booleans())
def test_ranks_are_in_step(
    length: int, size: int, ranks: int, uneven: str, drop_last: bool
) -> None:
    found = cut(length, 0, size, ranks, uneven, drop_last)
    shapes = {tuple(len(one.indices) for one in slices) for slices in found}
    if uneven != "exact" or drop_last:
        assert len(shapes) == 1
    if drop_last:
        assert shapes <= {(size,) * len(found[0])}
    assert max(len(slices) for slices in found) - min(len(slices) for slices in found) <= 1
    # What all have served after a step is what the slices up to it hold.
    for step, ends in enumerate(zip(*([one.after for one in s] for s in found), strict=False), 1):
        assert len(set(ends)) == 1
        assert ends[0] == sum(len(one.indices) for slices in found for one in slices[:step])


@given(st.data(), st.integers(1, 60), SIZES, RANKS, SIZES, RANKS)
def test_an_epoch_goes_on_with_other_ranks_and_batches(
    data: st.DataObject, length: int, size: int, ranks: int, other_size: int, other_ranks: int
) -> None:
    before = cut(length, 0, size, ranks, "exact")
    step = data.draw(st.integers(0, len(before[0])))
    first = [slices[:step] for slices in before]
    start = first[0][-1].after if step else 0
    rest = cut(length, start, other_size, other_ranks, "exact")
    served = merged(first) | merged(rest)
    assert len(served) == len(merged(first)) + len(merged(rest))
    assert served == {position: length - 1 - position for position in range(length)}


@given(LENGTHS.filter(bool), RANKS, st.booleans())
def test_padding_is_that_of_torchs_sampler(length: int, ranks: int, drop: bool) -> None:
    for rank in range(ranks):
        sampler = DistributedSampler(range(length), ranks, rank, shuffle=False, drop_last=drop)
        if drop and length < ranks:
            continue
        division = Division(1, rank, ranks, "drop" if drop else "pad")
        assert division.share(np.arange(length), 0).tolist() == list(sampler)
