"""The engines that the contracts hold for, and how near their pixels are to torchvision's."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import pytest

__all__ = ["ENGINES", "Standard", "engine_parameters"]


@dataclass(frozen=True)
class Standard:
    """What an engine promises of its pixels, against Pillow's and torchvision's, in levels.

    Attributes:
        mean: of all differences.
        typical: 99.9 % of the values differ by no more.
        most: no value differs by more.
        augmented: the mean behind RandAugment and its kin, which may make tens of levels of one
            (equalizing) or of a pixel its neighbour (warps): single values are not bounded there.
            None where the others hold there too.
        needs: the package that it is made of, "" where that is fastload alone.
    """

    mean: float
    typical: float
    most: float
    augmented: float | None = None
    needs: str = ""


ENGINES = {
    "torch": Standard(0, 0, 0),
    "native": Standard(0.1, 1, 2),
    # Where a filter reaches beyond the image, DALI repeats the border and Pillow leaves it out.
    # What each operation keeps to is in tests/engines/test_dali_pixels.py.
    "dali": Standard(0.5, 6, 20, 1, "nvidia.dali"),
    # OpenCV's averages of areas; where an image is enlarged they repeat pixels.
    "ffcv": Standard(2, 14, 26, 5, "ffcv"),
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
