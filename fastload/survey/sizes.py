"""Widths and heights for a scatter plot: a fair draw of them, and those that are common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastload.native.library import permutation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastload.dataset import ImageFolder

__all__ = ["Resolutions", "resolutions_of"]

_MOST_POINTS = 2000
_COMMON = 12
_SEED = 0
# A width and a height in one number, to be counted.
_SHIFT = np.uint64(32)


@dataclass(frozen=True)
class Resolutions:
    """Sizes of images in pixels.

    Attributes:
        points: (width, height) of some images drawn at random, or of all.
        common: (width, height, images) of the sizes that most images have, the most first.
        different: how many sizes there are.
    """

    points: list[tuple[int, int]]
    common: list[tuple[int, int, int]]
    different: int


def resolutions_of(dataset: ImageFolder) -> Resolutions:
    """The sizes of a data set's images, by the index."""
    index = dataset.pack.index
    records = dataset.records(np.arange(len(dataset)))
    width, height = index.width[records], index.height[records]
    drawn = permutation(_SEED, 0, len(records))[:_MOST_POINTS]
    sizes, images = np.unique(_together(width, height), return_counts=True)
    most = np.argsort(-images, kind="stable")[:_COMMON]
    return Resolutions(
        points=list(zip(width[drawn].tolist(), height[drawn].tolist(), strict=True)),
        common=[
            (int(size >> _SHIFT), int(size & np.uint64(0xFFFFFFFF)), int(count))
            for size, count in zip(sizes[most], images[most], strict=True)
        ],
        different=len(sizes),
    )


def _together(width: NDArray[np.uint32], height: NDArray[np.uint32]) -> NDArray[np.uint64]:
    return (width.astype(np.uint64) << _SHIFT) | height
