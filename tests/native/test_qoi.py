"""QOI against Pillow's reader and against a plain reader written from the specification."""

from __future__ import annotations

import io
import struct

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fastload.native.library import (
    NativeCode,
    NativeError,
    qoi_decode,
    qoi_encode,
    qoi_size,
)

Pixels = npt.NDArray[np.uint8]


def plain_read(data: bytes) -> Pixels:
    """qoiformat.org, specification 1.0, word for word; IndexError where the bytes end early."""
    assert data[:4] == b"qoif"
    width, height = struct.unpack(">II", data[4:12])
    seen = [(0, 0, 0, 0)] * 64
    pixel = (0, 0, 0, 255)
    chunks = iter(data[14:-8])
    pixels: list[tuple[int, ...]] = []
    while len(pixels) < width * height:
        first = next(chunks)
        r, g, b, a = pixel
        repeats = 1
        if first == 0xFE:
            pixel = (next(chunks), next(chunks), next(chunks), a)
        elif first == 0xFF:
            pixel = (next(chunks), next(chunks), next(chunks), next(chunks))
        elif first >> 6 == 0:
            pixel = seen[first]
        elif first >> 6 == 1:
            dr, dg, db = (first >> 4 & 3) - 2, (first >> 2 & 3) - 2, (first & 3) - 2
            pixel = ((r + dr) & 255, (g + dg) & 255, (b + db) & 255, a)
        elif first >> 6 == 2:
            second = next(chunks)
            dg = (first & 63) - 32
            dr, db = dg + (second >> 4) - 8, dg + (second & 15) - 8
            pixel = ((r + dr) & 255, (g + dg) & 255, (b + db) & 255, a)
        else:
            repeats = (first & 63) + 1
        r, g, b, a = pixel
        seen[(r * 3 + g * 5 + b * 7 + a * 11) % 64] = pixel
        pixels += [pixel] * repeats
    assert len(pixels) == width * height
    assert next(chunks, None) is None
    assert data[-8:] == bytes(7) + b"\x01"
    return np.array(pixels, np.uint8)[:, :3].reshape(height, width, 3)


def pictures() -> list[Pixels]:
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(40), np.arange(70)).astype(np.uint8)
    smooth = np.stack([ramp, ramp * 2, 255 - ramp], axis=2)
    noise = rng.integers(0, 256, (33, 47, 3), np.uint8)
    palette = rng.integers(0, 256, (9, 3), np.uint8)[rng.integers(0, 9, (50, 50))]
    flat = np.full((64, 63, 3), 17, np.uint8)
    black = np.zeros((3, 5, 3), np.uint8)
    jitter = np.clip(smooth + rng.integers(-3, 4, smooth.shape), 0, 255).astype(np.uint8)
    return [smooth, noise, palette, flat, black, jitter, noise[:1, :1], noise[:, :1], noise[:1]]


@pytest.mark.parametrize("pixels", pictures())
def test_three_readers_agree(pixels: Pixels) -> None:
    data = qoi_encode(pixels)
    assert qoi_size(data) == pixels.shape[:2]
    assert np.array_equal(qoi_decode(data), pixels)
    assert np.array_equal(plain_read(data), pixels)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "QOI"
        assert np.array_equal(np.asarray(image.convert("RGB")), pixels)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(0, 255),
    st.integers(0, 2**32 - 1),
)
def test_any_picture_comes_back(height: int, width: int, spread: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.integers(-spread, spread + 1, (height * width, 3))
    steps[rng.random(height * width) < 0.3] = 0
    pixels = np.cumsum(steps, axis=0).astype(np.uint8).reshape(height, width, 3)
    data = qoi_encode(pixels)
    assert np.array_equal(qoi_decode(data), pixels)
    assert np.array_equal(plain_read(data), pixels)


def test_rows_of_a_picture() -> None:
    pixels = pictures()[5]
    data = qoi_encode(pixels)
    for row0 in range(0, 41, 5):
        for row1 in range(row0, 41, 3):
            assert np.array_equal(qoi_decode(data, row0, row1), pixels[row0:row1])
    for row0, row1 in [(-1, 3), (3, 2), (0, 41)]:
        with pytest.raises(NativeError, match="rows"):
            qoi_decode(data, row0, row1)


def test_the_first_rows_of_a_cut_file_are_there() -> None:
    pixels = pictures()[1]
    data = qoi_encode(pixels)
    half = data[: len(data) // 2]
    assert np.array_equal(qoi_decode(half, 0, 10), pixels[:10])
    with pytest.raises(NativeError, match="end before the last pixel"):
        qoi_decode(half)


def test_views_of_larger_arrays() -> None:
    pixels = pictures()[0]
    data = qoi_encode(np.ascontiguousarray(pixels[3:30, 5:60]))
    assert qoi_encode(pixels[3:30, 5:60]) == data
    assert qoi_encode(np.asfortranarray(pixels[3:30, 5:60])) == data
    mirrored = pixels[::-1, ::-1]
    assert np.array_equal(qoi_decode(qoi_encode(mirrored)), mirrored)


def test_runs_cross_rows() -> None:
    data = qoi_encode(np.full((64, 63, 3), 200, np.uint8))
    assert len(data) <= 14 + 4 + 64 * 63 // 62 + 2 + 8
    assert (qoi_decode(data, 13, 50) == 200).all()


def test_alpha_is_followed_and_dropped() -> None:
    header = b"qoif" + struct.pack(">II", 5, 1) + b"\x04\x00"
    chunks = bytes([0xFF, 10, 20, 30, 40, 0x6A, 0xFE, 1, 2, 3, 0xFF, 10, 20, 30, 40, 0x00])
    data = header + chunks + bytes(7) + b"\x01"
    assert np.array_equal(qoi_decode(data), plain_read(data))


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**32 - 1))
def test_damage_is_an_error_or_what_the_specification_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(qoi_encode(pictures()[seed % 6][:9, :11]))
    for place in rng.integers(14, len(data), 3):
        data[place] = rng.integers(256)
    try:
        expected: Pixels | None = plain_read(bytes(data))
    except (StopIteration, AssertionError):
        expected = None
    if expected is None:
        with pytest.raises(NativeError) as caught:
            qoi_decode(data)
        assert caught.value.code == NativeCode.CORRUPT
    else:
        assert np.array_equal(qoi_decode(data), expected)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"qoif",
        b"qoig" + bytes(30),
        b"qoif" + struct.pack(">II", 0, 4) + b"\x03\x00" + bytes(20),
        b"qoif" + struct.pack(">II", 60_000, 60_000) + b"\x03\x00" + bytes(200),
        b"qoif" + struct.pack(">II", 2, 2) + b"\x02\x00" + bytes(20),
    ],
)
def test_headers_that_cannot_be(data: bytes) -> None:
    for read in (qoi_size, qoi_decode):
        with pytest.raises(NativeError, match="damaged QOI") as caught:
            read(data)
        assert caught.value.code == NativeCode.CORRUPT


def test_wrong_arrays_are_refused() -> None:
    with pytest.raises(TypeError, match="float64"):
        qoi_encode(np.zeros((2, 2, 3)))  # type: ignore[arg-type]
    for shape in [(2, 2), (2, 2, 4), (2,)]:
        with pytest.raises(ValueError, match="of shape"):
            qoi_encode(np.zeros(shape, np.uint8))
    with pytest.raises(NativeError, match="without pixels"):
        qoi_encode(np.zeros((0, 5, 3), np.uint8))
