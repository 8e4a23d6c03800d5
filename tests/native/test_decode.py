"""The native decode against Pillow's, bit for bit, with every set of instructions."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import io
import numpy as np
from PIL import Image
from fastload.native.library import decode, jpeg_transcode

random = np.random.default_rng(5)
for trial in range(120):
    height, width = map(int, random.integers(1, 200, 2))
    rows, columns = np.mgrid[:height, :width]
    waves = np.sin(rows / random.uniform(3, 40)) + np.cos(columns / random.uniform(3, 40))
    noise = random.normal(0, random.choice([0, 5, 60]), (height, width, 3))
    rgb = (128 + 60 * waves[..., None] * random.uniform(-1, 1, 3) + noise).clip(0, 255)
    image = Image.fromarray(rgb.astype(np.uint8))
    if trial % 5 == 4:
        image = image.convert("L")
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(random.integers(20, 101)), subsampling=trial % 3)
    seekable = jpeg_transcode(file.getvalue()).jpeg
    assert np.array_equal(decode(seekable, 0), np.asarray(Image.open(file).convert("RGB"))), trial
"""


@pytest.mark.parametrize("level", ["portable", "avx2", "avx512"])
def test_every_instruction_set_equals_pillow(level: str) -> None:
    environment = os.environ | {"FASTLOAD_SIMD": level}
    subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True, timeout=60)
