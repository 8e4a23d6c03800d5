"""What a data set holds, in a few numbers: for notebooks, and for the head of a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastload.words import bytes_words, name_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fastload.dataset import ImageFolder

__all__ = ["QUANTILES", "Summary", "side_quantiles", "summary_of"]

QUANTILES = {"smallest": 0.0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "largest": 1.0}
"""Of widths and heights that are told, by name."""


@dataclass(frozen=True)
class Summary:
    """Images, classes and sizes.

    Attributes:
        name: of the pack's folder.
        part: which part of a split it is; empty for a whole pack.
        images: how many there are.
        size: bytes of the images as they are stored.
        classes: names, none where the pack is unlabelled.
        counts: int64, shape (classes,): images of each.
        pixels: quantiles of width, height and shorter side, by name; each is some image's own
            value. Empty where there are no images.
    """

    name: str
    part: str
    images: int
    size: int
    classes: list[str]
    counts: NDArray[np.int64]
    pixels: dict[str, list[int]]

    @property
    def empty(self) -> int:
        """How many classes have no image."""
        return int(np.count_nonzero(self.counts == 0))

    @property
    def largest(self) -> tuple[str, int] | None:
        """Name and images of the largest class, the first of several; None without images."""
        if not self.counts.any():
            return None
        label = int(self.counts.argmax())
        return self.classes[label], int(self.counts[label])

    @property
    def smallest(self) -> tuple[str, int] | None:
        """The same of the smallest class that has images."""
        if not self.counts.any():
            return None
        label = int(np.where(self.counts > 0, self.counts, self.counts.max() + 1).argmin())
        return self.classes[label], int(self.counts[label])

    @property
    def imbalance(self) -> float | None:
        """How many times the smallest class that has images goes into the largest one."""
        if self.largest is None or self.smallest is None:
            return None
        return self.largest[1] / self.smallest[1]

    def head(self) -> list[str]:
        """Images, classes, bytes and part, each a few words."""
        count = len(self.classes)
        classes = "no classes" if not count else f"{count:,} class{'' if count == 1 else 'es'}"
        images = f"{self.images:,} image{'' if self.images == 1 else 's'}"
        return [images, classes, bytes_words(self.size), *([self.part] if self.part else [])]


def summary_of(dataset: ImageFolder) -> Summary:
    """What a data set holds, by its index alone: no image is looked at.

    Raises:
        PackError: the index is damaged.
    """
    index = dataset.pack.index
    whole = len(dataset) == len(dataset.pack)
    # All of them in the index's own order: nothing is copied.
    rows = slice(None) if whole else dataset.records(np.arange(len(dataset)))
    width, height = index.width[rows], index.height[rows]
    return Summary(
        name=name_words(dataset.pack.location.name),
        part=name_words(dataset.part),
        images=len(dataset),
        size=int(index.length[rows].sum(dtype=np.int64)),
        classes=[name_words(name) for name in dataset.classes],
        counts=dataset.class_counts,
        pixels=side_quantiles(width, height, list(QUANTILES.values())),
    )


def side_quantiles(
    width: NDArray[np.uint32], height: NDArray[np.uint32], quantiles: Sequence[float]
) -> dict[str, list[int]]:
    """Quantiles of width, height and shorter side in pixels, each some image's own value.

    Args:
        width: of each image.
        height: the same.
        quantiles: from 0 to 1.

    Returns:
        The values by the side's name; nothing where there are no images.

    >>> side_quantiles(np.array([5, 9]), np.array([7, 7]), [0, 1])
    {'width': [5, 9], 'height': [7, 7], 'shorter side': [5, 7]}
    """
    if not len(width):
        return {}
    sides = {"width": width, "height": height, "shorter side": np.minimum(width, height)}
    return {
        name: np.quantile(side, quantiles, method="nearest").tolist()
        for name, side in sides.items()
    }
