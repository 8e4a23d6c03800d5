"""How frequent the classes are in training, for all that takes a logarithm or an inverse of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from train_ref.errors import TrainError

__all__ = ["filled", "log_prior"]

Frequencies = npt.NDArray[np.float64]


def filled(counts: npt.ArrayLike) -> Frequencies:
    """Give classes without images as many as the smallest class has that has some.

    A logarithm or an inverse of nothing would be infinite. A class that never comes is so treated
    as the rarest one is: it may be wrong, but is not left out of what the model learns to reject.

    Args:
        counts: images or draws of each class, shape (c,).

    Returns:
        float64, shape (c,), all above 0.

    Raises:
        TrainError: no class has any, or a count is negative or no number.

    >>> filled([8, 0, 2]).tolist()
    [8.0, 2.0, 2.0]
    """
    numbers = np.asarray(counts, np.float64)
    if numbers.ndim != 1 or not np.isfinite(numbers).all() or (numbers < 0).any():
        raise TrainError(f"Images of each class are {counts!r}; they are numbers from 0 on.")
    if not numbers.any():
        raise TrainError("No class has any training image; train with a part that has some.")
    return np.where(numbers > 0, numbers, numbers[numbers > 0].min())


def log_prior(counts: npt.ArrayLike) -> Frequencies:
    """Return the logarithm of each class's share of the training images.

    Args:
        counts: images or draws of each class, shape (c,); see :func:`filled` for those without.

    Returns:
        float64, shape (c,).

    Raises:
        TrainError: as :func:`filled`.

    >>> np.exp(log_prior([6, 2])).round(9).tolist()
    [0.75, 0.25]
    """
    numbers = filled(counts)
    return np.asarray(np.log(numbers / numbers.sum()))
