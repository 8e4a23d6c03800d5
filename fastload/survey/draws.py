"""How often each class comes in an epoch, for each way to balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastload.sample import BalancedSampler, ClassLists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["MODES", "ModeDraws", "draws_of_modes"]

_PROGRESSIVE_EPOCHS = 90

MODES = (
    "none",
    "class",
    "sqrt",
    "effective",
    "repeat_factor",
    f"progressive:{_PROGRESSIVE_EPOCHS}",
)
"""Balances of ``fastload.DataLoader``, as they are written."""


@dataclass(frozen=True)
class ModeDraws:
    """One epoch in the mean.

    Attributes:
        mode: the balance, as it is written.
        epoch: which one it is; only some balances change from epoch to epoch.
        draws: shape (classes,): images drawn of each class.
        repeats: shape (classes,): how often each image of the class comes; 0 where it has none.
    """

    mode: str
    epoch: int
    draws: NDArray[np.float64]
    repeats: NDArray[np.float64]


def draws_of_modes(
    counts: NDArray[np.int64], classes: Sequence[str], modes: Sequence[str]
) -> list[ModeDraws]:
    """What each balance makes of the classes; progressive ones half-way.

    Args:
        counts: int64, shape (classes,): images of each, not all 0.
        classes: their names.
        modes: balances.

    Raises:
        ValueError: there is no such balance.

    >>> none, alike = draws_of_modes(np.array([6, 2]), ["a", "b"], ["none", "class"])
    >>> alike.draws.tolist(), alike.repeats.round(2).tolist()
    ([4.0, 4.0], [0.67, 2.0])
    """
    lists = ClassLists.of_counts(counts)
    found = []
    for mode in modes:
        sampler = BalancedSampler(lists, mode, classes=classes)
        epoch = _halfway(mode)
        draws = sampler.means(epoch)
        found.append(ModeDraws(mode, epoch, draws, draws / np.maximum(counts, 1)))
    return found


def _halfway(mode: str) -> int:
    name, _, epochs = mode.partition(":")
    return int(epochs or _PROGRESSIVE_EPOCHS) // 2 if name == "progressive" else 0
