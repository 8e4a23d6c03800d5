"""Whether a model is right as often as it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["BINS", "Calibration", "calibration_of"]

BINS = 15
"""As in the paper's tables."""


@dataclass(frozen=True)
class Calibration:
    """A reliability diagram: images by how sure the model is of its answer.

    Attributes:
        images: int64, shape (bins,): how many images each bin of equal width, from 0 to 1, has.
        confidence: float64, shape (bins,): mean probability of the answers; nan in an empty bin.
        accuracy: float64, shape (bins,): share of right answers; nan in an empty bin.
        error: the expected calibration error.
        bias: mean confidence less accuracy: above 0 the model is surer than it may be.
    """

    images: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    accuracy: npt.NDArray[np.float64]
    error: float
    bias: float


def calibration_of(
    probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.int64], bins: int = BINS
) -> Calibration:
    """Compare confidence with accuracy.

    The expected calibration error is the mean over all images of
    ``|accuracy(bin) - confidence(bin)|``, bins of equal width, (0, 1/bins], (1/bins, 2/bins] and
    so on (Naeini, Cooper, Hauskrecht: Obtaining Well Calibrated Probabilities Using Bayesian
    Binning, 2015; Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, 2017,
    equation 3).

    Args:
        probabilities: shape (images, classes); each row's sum is 1.
        labels: shape (images,), at least one.
        bins: how many.

    Example:
        >>> sure = np.array([[0.9, 0.1], [0.9, 0.1]])
        >>> round(calibration_of(sure, np.array([0, 1])).error, 6)  # right once, 90 % sure of both
        0.4
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    of_bin = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    images = np.bincount(of_bin, minlength=bins)
    sums = np.bincount(of_bin, weights=confidence, minlength=bins)
    hits = np.bincount(of_bin, weights=right, minlength=bins)
    filled = np.where(images > 0, images, np.nan)
    return Calibration(
        images=images,
        confidence=sums / filled,
        accuracy=hits / filled,
        error=float(np.abs(hits - sums).sum() / len(labels)),
        bias=float(confidence.mean() - right.mean()),
    )
