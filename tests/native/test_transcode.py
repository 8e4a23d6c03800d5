"""Transcoded JPEGs decode to the source's pixels, whoever decodes them."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from fastload.native.library import (
    NativeCode,
    NativeError,
    jpeg_encode,
    jpeg_transcode,
    perceptual_hash,
)

Pixels = npt.NDArray[np.uint8]


def photo(height: int, width: int, seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = np.sin(x[..., None] * [0.11, 0.07, 0.05] + y[..., None] * [0.03, 0.09, 0.13])
    levels = 128 + 90 * waves + rng.normal(0, 12, waves.shape)
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))


def saved(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def pixels_of(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def restart_markers(jpeg: bytes) -> list[int]:
    scan = jpeg[jpeg.index(b"\xff\xda") :]
    return [match[0][1] & 7 for match in re.finditer(rb"\xff[\xd0-\xd7]", scan)]


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimize": True},
        {"progressive": True},
        {"quality": 100},
        {"quality": 5},
        {"restart_marker_blocks": 3},
        {"restart_marker_rows": 2},
        {"exif": b"Exif\0\0" + bytes(500), "comment": b"hello", "icc_profile": bytes(3000)},
    ],
)
def test_same_pixels(options: dict[str, Any], subsampling: int) -> None:
    source = saved(photo(123, 203), subsampling=subsampling, **options)
    jpeg, facts = jpeg_transcode(source)
    assert np.array_equal(pixels_of(jpeg), pixels_of(source))
    assert (facts.height, facts.width, facts.components) == (123, 203, 3)
    rows = -(-123 // (16 if subsampling == 2 else 8))
    assert restart_markers(jpeg) == [k % 8 for k in range(rows - 1)]
    assert b"Exif" not in jpeg
    assert b"hello" not in jpeg
    assert jpeg_transcode(jpeg).jpeg == jpeg


def test_grey_and_rgb() -> None:
    grey = saved(photo(60, 90).convert("L"))
    jpeg, facts = jpeg_transcode(grey)
    assert facts.components == 1
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.mode == "L"
    assert np.array_equal(pixels_of(jpeg), pixels_of(grey))
    rgb = saved(photo(60, 90), keep_rgb=True)
    assert np.array_equal(pixels_of(jpeg_transcode(rgb).jpeg), pixels_of(rgb))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 65500), (65500, 1), (7, 9), (16, 16)])
def test_extreme_sizes(height: int, width: int) -> None:
    source = saved(photo(height, width))
    assert np.array_equal(pixels_of(jpeg_transcode(source).jpeg), pixels_of(source))


def test_sixteen_bit_quantisation_tables() -> None:
    tables = [[1000 + k for k in range(64)], [300] * 64]
    source = saved(photo(50, 50), qtables=tables)
    assert np.array_equal(pixels_of(jpeg_transcode(source).jpeg), pixels_of(source))


def test_cmyk_is_left_to_pillow() -> None:
    with pytest.raises(NativeError, match="colour space") as caught:
        jpeg_transcode(saved(photo(40, 40).convert("CMYK")))
    assert caught.value.code == NativeCode.JPEG_UNSUPPORTED


@pytest.mark.parametrize("progressive", [False, True])
def test_truncated_files_are_not_passed_on(progressive: bool) -> None:
    source = saved(photo(100, 100), progressive=progressive)
    start = source.index(b"\xff\xda") + 20
    for size in range(start, len(source), 173):
        with pytest.raises(NativeError) as caught:
            jpeg_transcode(source[:size])
        assert caught.value.code == NativeCode.JPEG_WARNING


def test_bytes_that_are_no_jpeg() -> None:
    for data in (b"", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(100)):
        with pytest.raises(NativeError, match="JPEG") as caught:
            jpeg_transcode(data)
        assert caught.value.code in (NativeCode.CORRUPT, NativeCode.JPEG_WARNING)


def test_what_follows_the_end_is_dropped() -> None:
    source = saved(photo(40, 40))
    assert jpeg_transcode(source + bytes(1000)).jpeg == jpeg_transcode(source).jpeg


def test_hash_of_coefficients_is_nearly_that_of_pixels() -> None:
    distances = []
    for seed in range(30):
        source = saved(photo(150 + seed, 220 - seed, seed), quality=90)
        pixel_hash = perceptual_hash(pixels_of(source))
        distances.append((jpeg_transcode(source).facts.perceptual_hash ^ pixel_hash).bit_count())
    assert np.mean(distances) < 1
    assert max(distances) <= 5


@pytest.mark.parametrize("quality", [50, 90, 100])
def test_encoding_is_libjpegs(quality: int) -> None:
    image = photo(77, 131)
    expected = pixels_of(saved(image, quality=quality, subsampling=2))
    jpeg = jpeg_encode(np.asarray(image), quality)
    assert np.array_equal(pixels_of(jpeg), expected)
    assert restart_markers(jpeg) == [0, 1, 2, 3]
    grey = image.convert("L")
    jpeg = jpeg_encode(np.asarray(grey), quality)
    assert np.array_equal(pixels_of(jpeg), pixels_of(saved(grey, quality=quality)))
    assert jpeg_transcode(jpeg).facts.components == 1


def test_encoding_refuses_what_it_cannot_do() -> None:
    for quality in (0, 101):
        with pytest.raises(NativeError, match=f"quality {quality}"):
            jpeg_encode(np.zeros((4, 4, 3), np.uint8), quality)
    with pytest.raises(NativeError, match="65500"):
        jpeg_encode(np.zeros((1, 65501), np.uint8), 90)


@pytest.mark.real_data
def test_real_photos(real_photos: Path) -> None:
    files = sorted(real_photos.glob("*/*"))[::12]
    distances, before, after = [], 0, 0
    for file in files:
        source = file.read_bytes()
        jpeg, facts = jpeg_transcode(source)
        pixels = pixels_of(source)
        assert np.array_equal(pixels_of(jpeg), pixels), file
        distances.append((facts.perceptual_hash ^ perceptual_hash(pixels)).bit_count())
        before, after = before + len(source), after + len(jpeg)
    assert after < before
    assert np.mean(distances) < 0.5
