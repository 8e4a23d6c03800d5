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
        needs: the package that it is made of, "" where that is fastload alone.
    """

    typical: float
    most: float
    needs: str = ""


ENGINES = {
    "torch": Standard(0, 0),
    "native": Standard(1, 2),
    "ffcv": Standard(14, 26, "ffcv"),
}


def engine_parameters() -> list[object]:
    """Each engine's name; those that are not installed are skipped, with the reason."""
    return [
        pytest.param(
            name,
            marks=pytest.mark.skipif(
                bool(standard.needs) and find_spec(standard.needs.split(".")[0]) is None,
                reason=f"{standard.needs} is not installed",
            ),
        )
        for name, standard in ENGINES.items()
    ]
