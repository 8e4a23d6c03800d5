"""``.dct`` records: every JPEG comes back, every pixel is Pillow's, damage is an error."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fastload.native.library import (
    NativeCode,
    NativeError,
    dct_of_jpeg,
    decode,
    image_size,
    jpeg_encode,
    jpeg_of_dct,
    jpeg_transcode,
)
from tests.pack.image_files import photo, saved
from tests.plain_dct import Component, jpeg_of, write_jpeg

DCT = 1


@st.composite
def jpegs(draw: st.DrawFn) -> bytes:
    """Files as Pillow writes them: from one pixel, even to noisy, coarse to fine."""
    height, width = draw(st.integers(1, 70)), draw(st.integers(1, 70))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    noise = rng.normal(0, draw(st.sampled_from([0, 2, 20, 200])), (height, width, 3))
    ramp = np.linspace(-1, 1, width)[None, :, None] * rng.uniform(-120, 120, 3)
    image = Image.fromarray((128 + ramp + noise).clip(0, 255).astype(np.uint8))
    if draw(st.integers(0, 4)) == 0:
        image = image.convert("L")
    options: dict[str, Any] = {
        "quality": draw(st.sampled_from([1, 2, 100]) | st.integers(1, 100)),
        "progressive": draw(st.booleans()),
    }
    if image.mode == "RGB":
        options["subsampling"] = draw(st.integers(0, 2))
        options["keep_rgb"] = options["subsampling"] == 0 and draw(st.booleans())
    return saved(image, "JPEG", **options)


@settings(deadline=None, max_examples=300)
@given(jpegs())
def test_every_jpeg_comes_back(source: bytes) -> None:
    jpeg = jpeg_transcode(source).jpeg
    dct = dct_of_jpeg(jpeg)
    assert jpeg_of_dct(dct) == jpeg
    # From the specification alone: the transcoder keeps every coefficient and every table.
    assert jpeg_transcode(jpeg_of(dct)).jpeg == jpeg
    with Image.open(io.BytesIO(source)) as image:
        assert image_size(dct, DCT) == image.size[::-1]
        np.testing.assert_array_equal(decode(dct, DCT), np.asarray(image.convert("RGB")))


def code_of(call: Callable[[], object]) -> int | None:
    try:
        call()
    except NativeError as error:
        return error.code
    return None


@settings(deadline=None, max_examples=300)
@given(jpegs(), st.lists(st.tuples(st.integers(0, 2**16), st.integers(1, 255)), max_size=4))
def test_damage_is_an_error_or_another_picture(
    source: bytes, changes: list[tuple[int, int]]
) -> None:
    dct = bytearray(dct_of_jpeg(jpeg_transcode(source).jpeg))
    for place, flipped in changes:
        dct[place % len(dct)] ^= flipped
    assert code_of(lambda: decode(dct, DCT)) in (None, NativeCode.CORRUPT)
    assert code_of(lambda: jpeg_of_dct(dct)) in (
        None,
        NativeCode.CORRUPT,
        NativeCode.JPEG_NOT_BASELINE,
    )


@settings(deadline=None, max_examples=100)
@given(jpegs(), st.data())
def test_no_part_of_a_record_is_one(source: bytes, data: st.DataObject) -> None:
    dct = dct_of_jpeg(jpeg_transcode(source).jpeg)
    cut = dct[: data.draw(st.integers(0, len(dct) - 1))]
    for use in (lambda: decode(cut, DCT), lambda: jpeg_of_dct(cut)):
        with pytest.raises(NativeError, match="DCT record") as caught:
            use()
        assert caught.value.code == NativeCode.CORRUPT


@pytest.mark.parametrize("quality", [1, 30, 75, 95, 100])
@pytest.mark.parametrize("channels", [1, 3])
def test_encoded_jpegs_come_back(quality: int, channels: int) -> None:
    pixels = np.asarray(photo(61, 77))
    jpeg = jpeg_encode(pixels if channels == 3 else pixels[:, :, 0].copy(), quality)
    assert jpeg_of_dct(dct_of_jpeg(jpeg)) == jpeg


def components(factors: list[int], dcs: list[int]) -> list[Component]:
    """Components of as many blocks as there are DCs in one row, nothing but DC in them."""
    made = []
    for factor in factors:
        component = Component(factor, [1] * 64)
        for column, dc in enumerate(dcs):
            component.blocks[0, column] = [dc] + [0] * 63
        made.append(component)
    return made


def test_factors_that_do_not_divide_the_largest_are_no_images() -> None:
    """Pillow, which means libjpeg, makes no pixels of them either."""
    jpeg = write_jpeg(1, 24, 8, components([0x31, 0x21, 0x21], [5, 5, 5]))
    with pytest.raises(OSError):
        Image.open(io.BytesIO(jpeg)).load()
    with pytest.raises(NativeError) as caught:
        jpeg_transcode(jpeg)
    assert caught.value.code == NativeCode.JPEG_UNSUPPORTED


@pytest.mark.parametrize(("second", "fits"), [(2047, True), (2048, False)])
def test_coefficients_out_of_range_have_no_record(second: int, fits: bool) -> None:
    jpeg = jpeg_transcode(write_jpeg(0, 16, 8, components([0x11], [1500, second]))).jpeg
    if fits:
        assert jpeg_of_dct(dct_of_jpeg(jpeg)) == jpeg
        return
    with pytest.raises(NativeError, match="too large") as caught:
        dct_of_jpeg(jpeg)
    assert caught.value.code == NativeCode.JPEG_NOT_BASELINE


PROGRAM = """
import hashlib
from fastload.native.library import dct_of_jpeg, jpeg_of_dct, jpeg_transcode
from tests.pack.image_files import photo, saved

digest = hashlib.sha256()
for quality in (1, 40, 80, 95, 100):
    for height, width in ((1, 1), (8, 9), (61, 200), (150, 33)):
        for subsampling in (0, 1, 2):
            file = saved(photo(height, width), "JPEG", quality=quality, subsampling=subsampling)
            jpeg = jpeg_transcode(file).jpeg
            dct = dct_of_jpeg(jpeg)
            assert jpeg_of_dct(dct) == jpeg
            digest.update(dct)
print(digest.hexdigest())
"""


def test_every_instruction_set_writes_the_same_records() -> None:
    digests = set()
    for level in ("portable", "avx2", "avx512"):
        environment = os.environ | {"FASTLOAD_SIMD": level}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            check=True,
            capture_output=True,
            timeout=60,
        )
        digests.add(done.stdout)
    assert len(digests) == 1
