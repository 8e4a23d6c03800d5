"""Class frequencies that can be divided by and taken logarithms of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_ref.errors import TrainError
from train_ref.prior import filled, log_prior


def test_a_class_without_images_is_as_the_smallest_with_some() -> None:
    assert filled([0, 7, 3, 0]).tolist() == [3, 7, 3, 3]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any))
def test_shares_are_finite_add_up_and_keep_the_order(counts: list[int]) -> None:
    shares = np.exp(log_prior(counts))
    assert np.isclose(shares.sum(), 1)
    some = np.flatnonzero(counts)
    ratios = shares[some] / shares[some[0]]
    assert np.allclose(ratios, np.array(counts)[some] / counts[some[0]])
    assert np.allclose(shares[np.array(counts) == 0], shares[some].min())


@pytest.mark.parametrize("counts", [[0, 0], [3, -1], [np.nan, 1], [np.inf, 1], [[1, 2]]])
def test_what_are_no_counts_is_refused(counts: list[float]) -> None:
    with pytest.raises(TrainError):
        filled(counts)
