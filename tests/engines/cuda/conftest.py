"""Label folders and packs of every sampling, for the kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastload.native.library import jpeg_of_dct
from tests.conftest import picture
from tests.engines.cuda.records import GREY, RGB, YCC, random_record

SAMPLINGS = {
    "444": (YCC, [(1, 1)] * 3),
    "422": (YCC, [(2, 1), (1, 1), (1, 1)]),
    "440": (YCC, [(1, 2), (1, 1), (1, 1)]),
    "420": (YCC, [(2, 2), (1, 1), (1, 1)]),
    "411": (YCC, [(4, 1), (1, 1), (1, 1)]),
    "tall": (YCC, [(2, 4), (1, 1), (1, 1)]),
    "rgb": (RGB, [(1, 1)] * 3),
    "grey": (GREY, [(1, 1)]),
}


SIZES = (37, 51), (16, 150), (9, 3)


def write_record(folder: Path, sampling: str, number: int) -> None:
    """A JPEG file in a class named after its sampling; ``number`` is that of its size."""
    height, width = SIZES[number]
    made = random_record(np.random.default_rng(number), width, height, *SAMPLINGS[sampling])
    (folder / sampling).mkdir(exist_ok=True)
    (folder / sampling / f"{number}.jpg").write_bytes(jpeg_of_dct(made))


@pytest.fixture(scope="session")
def all_sizes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JPEGs of every sampling in every odd size, some narrower than a block."""
    folder = tmp_path_factory.mktemp("all_sizes")
    for sampling in SAMPLINGS:
        for number in range(len(SIZES)):
            write_record(folder, sampling, number)
    return folder


@pytest.fixture(scope="session")
def sampled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG of every sampling, its size in turn, another and a PNG: few for the interpreter."""
    folder = tmp_path_factory.mktemp("sampled")
    for place, sampling in enumerate(SAMPLINGS):
        write_record(folder, sampling, place % len(SIZES))
    write_record(folder, "420", 1)  # a class with two: one takes the other's place if damaged
    Image.fromarray(picture(np.random.default_rng(5), 33, 29)).save(folder / "444" / "picture.png")
    return folder
