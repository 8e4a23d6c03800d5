"""Counter-based random draws: every number is a pure function of where it is used.

Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011) turns
(seed, epoch, position in the epoch, stream, block) into four independent 32-bit words. Nothing is
kept between calls, so an epoch can be cut, resumed or spread over ranks at any position.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.native.library import philox

__all__ = ["Draws", "below", "chance", "symmetric_beta", "uniform"]

_UNIT = 2.0**-32

Words = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Draws:
    """The random words of some positions of one epoch.

    Args:
        seed: the loader's seed, 64 bits.
        epoch: number of the epoch, 32 bits.
        positions: int64, shape (n,): positions in the epoch, counted over all ranks.
    """

    def __init__(self, seed: int, epoch: int, positions: Integers) -> None:
        self.seed = seed
        self.epoch = epoch
        self.positions = positions

    def __len__(self) -> int:
        return len(self.positions)

    def words(self, stream: int, blocks: int = 1, rows: Integers | None = None) -> Words:
        """Four words for each block of each position (of ``rows`` only, where given).

        Args:
            stream: number below 2**16 that keeps the draws of one operation apart from another's.
            blocks: how many blocks of four words a position needs.
            rows: int64 indices into the positions.

        Returns:
            uint32, shape (n, blocks, 4).
        """
        positions = self.positions if rows is None else self.positions[rows]
        return philox(self.seed, self.epoch, positions, stream, blocks)


def uniform(words: Words, low: float, high: float) -> Floats:
    """Numbers from [low, high), float64, of the words' shape.

    >>> uniform(np.array([0, 2**31], np.uint32), 1.0, 3.0).tolist()
    [1.0, 2.0]
    """
    drawn: Floats = words.astype(np.float64) * (_UNIT * (high - low)) + low
    return drawn


def below(words: Words, bounds: npt.NDArray[Any] | int) -> Integers:
    """Integers from 0 to ``bounds`` - 1: the high half of word times bound.

    The bias against an exact draw is under bounds / 2**32, below 2e-5 for any image side.

    >>> below(np.array([0, 2**31, 2**32 - 1], np.uint32), 10).tolist()
    [0, 5, 9]
    """
    high: Integers = (words.astype(np.int64) * bounds) >> 32
    return high


def chance(words: Words, probability: float) -> npt.NDArray[np.bool_]:
    """True with the given probability.

    >>> chance(np.array([0, 2**31, 2**32 - 1], np.uint32), 0.5).tolist()
    [True, False, False]
    """
    drawn: npt.NDArray[np.bool_] = words < probability * 2.0**32
    return drawn


def symmetric_beta(words: Words, alpha: float) -> Floats:
    """Numbers that follow Beta(alpha, alpha), each from three words, for any alpha above 0.

    If U and V are uniform, Student's t with 2 alpha degrees of freedom is
    sqrt(2 alpha (U ** (-1 / alpha) - 1)) cos(2 pi V) (Bailey, "Polar generation of random variates
    with the t-distribution", Mathematics of Computation 62, 1994), and the beta variate is
    (1 + t / sqrt(2 alpha + t t)) / 2 (Devroye, "Random variate generation in one line of code",
    WSC 1996). It is written here in U ** (1 / alpha), which cannot overflow.

    Args:
        words: uint32, shape (..., 3): two for U, one for V.
        alpha: above 0.

    Returns:
        float64, shape (...).

    >>> symmetric_beta(np.array([[2**30, 0, 0], [2**30, 0, 2**31]], np.uint32), 1.0).round(3)
    array([0.933, 0.067])
    """
    high, low, turn = np.moveaxis(words.astype(np.float64), -1, 0)
    power = np.exp(np.log((high + (low + 1) * _UNIT) * _UNIT) / alpha)
    # Halves of a word keep the cosine from being 0 where the power is.
    cosine = np.cos((turn + 0.5) * (2 * np.pi * _UNIT))
    rest = power / (power + (1 - power) * cosine * cosine)
    # The distance from the nearer end, to its own precision.
    distance = 0.5 * rest / (1 + np.sqrt(1 - rest))
    drawn: Floats = np.where(cosine < 0, distance, 1 - distance)
    return drawn
