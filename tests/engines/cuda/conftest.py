"""The kernels, interpreted on the CPU: Triton looks at the variable as it reads them."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TRITON_INTERPRET", "1")

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


@pytest.fixture(scope="session")
def sampled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JPEGs of every sampling and of odd sizes, some narrower than a block, and PNGs."""
    folder = tmp_path_factory.mktemp("sampled")
    rng = np.random.default_rng(5)
    for name, (colours, factors) in SAMPLINGS.items():
        (folder / name).mkdir()
        for number, (height, width) in enumerate(((37, 51), (16, 150), (9, 3))):
            made = random_record(rng, width, height, colours, factors)
            (folder / name / f"{number}.jpg").write_bytes(jpeg_of_dct(made))
    Image.fromarray(picture(rng, 33, 29)).save(folder / "444" / "picture.png")
    return folder
