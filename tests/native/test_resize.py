"""The native resampling against Pillow's, bit for bit, with every set of instructions."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fastload.augment.resize import PASS_ORDER
from fastload.native.library import NativeError, resize

SIDES = st.integers(1, 300)


@settings(deadline=None, max_examples=300)
@given(SIDES, SIDES, SIDES, SIDES, st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_equals_pillow(
    height: int, width: int, out_height: int, out_width: int, resampling: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    rgb = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    expected = Image.fromarray(rgb).resize((out_width, out_height), Image.Resampling(resampling))
    native = resize(rgb, out_height, out_width, resampling, PASS_ORDER)
    assert np.array_equal(native, np.asarray(expected))


@pytest.mark.parametrize(("width", "height_first"), [(20, [0]), (2, [0, 1])])
def test_orders_of_passes(width: int, height_first: list[int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (250, width, 3), dtype=np.uint8)
    by_height = resize(resize(rgb, 20, width, 2), 20, width - 1, 2)
    by_width = resize(resize(rgb, 250, width - 1, 2), 20, width - 1, 2)
    assert not np.array_equal(by_height, by_width)
    for order in range(3):
        expected = by_height if order in height_first else by_width
        assert np.array_equal(resize(rgb, 20, width - 1, 2, order), expected)
    with pytest.raises(NativeError, match="order of passes 3"):
        resize(rgb, 20, width - 1, 2, 3)


@pytest.mark.parametrize("height", [200, 201])
@pytest.mark.parametrize("out_height", [60, 200, 201, 202])
def test_equals_pillow_where_images_are_high(height: int, out_height: int) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (height, 2, 3), dtype=np.uint8)
    for out_width in (1, 2, 90):
        expected = Image.fromarray(rgb).resize((out_width, out_height), Image.Resampling.BICUBIC)
        native = resize(rgb, out_height, out_width, Image.Resampling.BICUBIC, PASS_ORDER)
        assert np.array_equal(native, np.asarray(expected))


@pytest.mark.parametrize("level", ["portable", "avx2", "avx512"])
def test_every_instruction_set_equals_pillow(level: str) -> None:
    program = """
import numpy as np
from PIL import Image
from fastload.augment.resize import PASS_ORDER
from fastload.native.library import resize

random = np.random.default_rng(3)
for _ in range(60):
    height, width, out_height, out_width = map(int, random.integers(1, 250, 4))
    rgb = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    for resampling in range(6):
        expected = Image.fromarray(rgb).resize((out_width, out_height), resampling)
        native = resize(rgb, out_height, out_width, resampling, PASS_ORDER)
        assert np.array_equal(native, expected)
"""
    environment = os.environ | {"FASTLOAD_SIMD": level}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)


def test_refuses_what_is_no_resize() -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(NativeError, match="at least one pixel"):
        resize(rgb, 0, 4, 2)
    with pytest.raises(NativeError, match="filter 9"):
        resize(rgb, 2, 2, 9)
    with pytest.raises(ValueError, match="uint8 of shape"):
        resize(rgb[0], 2, 2, 2)
