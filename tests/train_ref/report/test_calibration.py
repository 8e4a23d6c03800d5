from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_ref.report.calibration import calibration_of


def of_two(*confidences: float) -> np.ndarray:
    """Answers for the first of two classes."""
    return np.array([[one, 1 - one] for one in confidences])


def test_by_hand() -> None:
    # Bins of 1/15: 0.95 and 0.96 share the last but none, 14/15 < both; 0.6 is in (8/15, 9/15].
    found = calibration_of(of_two(0.95, 0.96, 0.6, 0.6), np.array([0, 1, 0, 0]))
    assert found.images.tolist() == [0] * 8 + [2] + [0] * 5 + [2]
    assert found.accuracy[14] == 0.5 and found.accuracy[8] == 1.0
    assert found.confidence[14] == pytest.approx(0.955)
    assert found.error == pytest.approx((2 * abs(0.5 - 0.955) + 2 * abs(1 - 0.6)) / 4)
    assert found.bias == pytest.approx((0.95 + 0.96 + 0.6 + 0.6) / 4 - 0.75)
    assert np.isnan(found.accuracy[0])


def test_right_as_often_as_said_is_no_error() -> None:
    answers = np.repeat([[0.75, 0.25]], 8, axis=0)
    found = calibration_of(answers, np.array([0, 0, 0, 1] * 2))
    assert found.error == 0.0 and found.bias == 0.0


def test_a_bin_has_its_upper_end() -> None:
    found = calibration_of(of_two(0.5, 1.0), np.array([0, 0]), bins=2)
    assert found.images.tolist() == [1, 1]


@given(st.integers(1, 60), st.integers(2, 6), st.integers(1, 20), st.integers(0, 2**32))
def test_error_is_what_a_loop_over_bins_says(
    images: int, classes: int, bins: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    answers = rng.dirichlet(np.full(classes, 0.5), images)
    labels = rng.integers(0, classes, images)
    found = calibration_of(answers, labels, bins)
    error = 0.0
    for number in range(bins):
        inside = [
            row
            for row in range(images)
            if number / bins < answers[row].max() <= (number + 1) / bins
        ]
        assert found.images[number] == len(inside)
        if inside:
            right = np.mean([answers[row].argmax() == labels[row] for row in inside])
            sure = np.mean([answers[row].max() for row in inside])
            error += len(inside) / images * abs(right - sure)
    assert found.error == pytest.approx(error, abs=1e-12)
