"""The engines that the contracts hold for, and how near their pixels are to torchvision's."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import pytest

__all__ = ["ENGINES", "Standard", "engine_parameters"]


@dataclass(frozen=True)
class Standard:
    """What an engine promises of its pixels, against Pillow's and torchvision's.

    Attributes:
        typical: 99.9 % of the values differ by no more levels than this.
        most: no value differs by more.
        augmented: as ``typical``, behind RandAugment and its kin; None for the same.
        needs: the package that it is made of, "" where that is fastload alone.
    """

    typical: float
    most: float
    needs: str = ""
    augmented: float | None = None


ENGINES = {
    "torch": Standard(0, 0),
    "native": Standard(1, 2),
    # Where a filter reaches beyond the image, DALI repeats the border and Pillow leaves it out,
    # and a warp's nearest pixel may be its neighbour. Behind RandAugment: one of these 22 small
    # images is equalized twice, which makes tens of levels of one. What each operation by itself
    # keeps to is in tests/engines/test_dali_pixels.py.
    "dali": Standard(20, 255, "nvidia.dali", augmented=64),
    "ffcv": Standard(14, 26, "ffcv"),
}


def engine_parameters() -> list[object]:
    """Each engine's name; those that are not installed are skipped, with the reason."""
    return [
        pytest.param(
            name,
            marks=pytest.mark.skipif(
                bool(standard.needs) and not _is_installed(standard.needs),
                reason=f"{standard.needs} is not installed",
            ),
        )
        for name, standard in ENGINES.items()
    ]


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # of a package that it lies in
        return False
