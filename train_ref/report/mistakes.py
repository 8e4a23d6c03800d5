"""The mistakes that a model is surest of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["worst_mistakes"]


def worst_mistakes(
    probabilities: npt.NDArray[np.floating], labels: npt.NDArray[np.int64], most: int
) -> npt.NDArray[np.int64]:
    """Rows whose answer is wrong, those with the most probable answer first.

    Args:
        probabilities: shape (images, classes).
        labels: shape (images,).
        most: rows that are wanted.

    Returns:
        int64, shape (at most `most`,).

    Example:
        >>> worst_mistakes(np.array([[0.6, 0.4], [0.1, 0.9], [0.8, 0.2]]), np.array([1, 0, 0]), 9)
        array([1, 0])
    """
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    order = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    return wrong[order[:most]]
