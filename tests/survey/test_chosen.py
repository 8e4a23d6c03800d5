"""Which images a page shows: fair, the same each time, rare classes whole."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastload.survey.chosen import chosen_of_classes, fair_share, prefix_within

COUNTS = st.lists(st.integers(0, 60), min_size=1, max_size=12)


@given(COUNTS, st.integers(0, 200))
def test_the_share_is_the_largest_that_fits(counts: list[int], most: int) -> None:
    array = np.array(counts, np.int64)
    share = fair_share(array, most)
    assert np.minimum(array, share).sum() <= most
    if share < max(counts):
        assert np.minimum(array, share + 1).sum() > most


@given(COUNTS, st.integers(0, 200))
def test_each_class_shows_its_own_samples(counts: list[int], most: int) -> None:
    array = np.array(counts, np.int64)
    chosen = chosen_of_classes(array, most)
    ends = np.cumsum(array)
    for count, end, samples in zip(counts, ends, chosen, strict=True):
        assert len(set(samples.tolist())) == len(samples) <= count
        assert all(end - count <= sample < end for sample in samples.tolist())
    assert sum(map(len, chosen)) <= most
    again = chosen_of_classes(array, most)
    assert all(np.array_equal(one, other) for one, other in zip(chosen, again, strict=True))


def test_rare_classes_are_whole_and_large_ones_drawn_from_all_over() -> None:
    large, rare = chosen_of_classes(np.array([10_000, 7]), 107)
    assert sorted(rare.tolist()) == list(range(10_000, 10_007))
    assert len(large) == 100
    quarters = np.bincount(large // 2500, minlength=4)
    assert quarters.min() > 10


def test_of_too_many_classes_the_largest_show_one() -> None:
    chosen = chosen_of_classes(np.array([1, 5, 0, 3]), 2)
    assert [len(samples) for samples in chosen] == [0, 1, 0, 1]


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=6), st.integers(0, 80))
def test_what_fits_takes_turns(sizes: list[list[int]], budget: int) -> None:
    shown = prefix_within(sizes, budget)
    cost = sum(sum(ones[:count]) for ones, count in zip(sizes, shown, strict=True))
    assert cost <= budget
    left = [len(ones) - count for ones, count in zip(sizes, shown, strict=True)]
    short = [count for count, rest in zip(shown, left, strict=True) if rest]
    # Nobody who wants more is two turns behind.
    assert not short or max(shown) <= min(short) + 1
