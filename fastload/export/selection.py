"""Which images of a pack are exported: all of them, or a part of a split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fastload.errors import PackError
from fastload.store import open_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastload.store import Pack

__all__ = ["Selection", "select"]


@dataclass(frozen=True, eq=False)
class Selection:
    """Some records of a pack.

    Attributes:
        pack: the pack.
        samples: (n,) int64, their ids in ImageFolder's order: sample 0 first.
        part: ``"train"`` or ``"val"`` where they are a part of a split.
    """

    pack: Pack
    samples: NDArray[np.int64]
    part: str | None = None

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """(n,) int64, which sample is the k-th one in the order of the records."""
        return np.argsort(self.samples)

    @property
    def bytes_stored(self) -> int:
        """What the pack has for them."""
        return int(self.pack.index.length[self.samples].sum(dtype=np.int64))


def select(
    pack: Pack, split: str | None = None, fold: int | None = None, part: str | None = None
) -> Selection:
    """The records of a pack, or of a part of one of its splits.

    Args:
        pack: the pack.
        split: name of a split, as ``fastload split`` gives it.
        fold: which fold validates; may be None for a hold-out.
        part: ``"train"`` or ``"val"``.

    Raises:
        PackError: there is no such split, or nothing in it.
        ValueError: the split has no such fold or part, or is missing.
    """
    samples = pack.index.listing.astype(np.int64)
    if split is not None:
        if part is None:
            raise ValueError("--split needs --part train or --part val")
        samples = samples[open_split(pack, split).part(fold, part)]
    elif fold is not None or part is not None:
        raise ValueError("--fold and --part are of a split: name it, as --split folds5")
    if not len(samples):
        raise PackError(f"{pack.root} has no images there: there is nothing to export.")
    return Selection(pack, samples, part)
