"""The perceptual hash against its definition in NumPy, and its promises about mirrors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from fastload.native.library import NativeError, perceptual_hash

Pixels = npt.NDArray[np.uint8]
ODD_COLUMNS = 0xAAAAAAAAAAAAAAAA
ODD_ROWS = 0xFF00FF00FF00FF00


def picture(height: int, width: int, seed: int, channels: int = 3) -> Pixels:
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (9, 9, channels))
    y, x = np.linspace(0, 7.99, height), np.linspace(0, 7.99, width)
    fy, fx = (y % 1)[:, None, None], (x % 1)[None, :, None]
    iy, ix = y.astype(int)[:, None], x.astype(int)[None, :]
    top = coarse[iy, ix] * (1 - fx) + coarse[iy, ix + 1] * fx
    bottom = coarse[iy + 1, ix] * (1 - fx) + coarse[iy + 1, ix + 1] * fx
    pixels = (top * (1 - fy) + bottom * fy).astype(np.uint8)
    return pixels if channels == 3 else pixels[..., 0]


def area_weights(pixels: int) -> npt.NDArray[np.float64]:
    """(32, cells): the share of each of 32 equal parts that each cell of 4 pixels covers."""
    starts = np.arange(0, pixels, 4)
    ends = np.minimum(starts + 4, pixels)
    borders = np.arange(33) * pixels / 32
    lower = np.maximum(borders[:-1, None], starts)
    upper = np.minimum(borders[1:, None], ends)
    return np.clip(upper - lower, 0, None) * 32 / pixels


def plain_hash(pixels: Pixels) -> int:
    luma = pixels.astype(float)
    if pixels.ndim == 3:
        luma = luma @ np.array([19595, 38470, 7471]) / 65536
    height, width = luma.shape
    rows, columns = np.arange(0, height, 4), np.arange(0, width, 4)
    sums = np.add.reduceat(np.add.reduceat(luma, rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
    grid = area_weights(height) @ (sums / counts) @ area_weights(width).T
    basis = np.cos(np.pi * np.outer(np.arange(8), 2 * np.arange(32) + 1) / 64)
    signs = basis @ grid @ basis.T / 1024 > 1e-3
    signs[0, 0] = False
    return sum(1 << int(bit) for bit in np.flatnonzero(signs))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(32, 32), (100, 75), (331, 500), (33, 1000)])
def test_definition(height: int, width: int, channels: int) -> None:
    for seed in range(5):
        pixels = picture(height, width, seed, channels)
        # Means are kept in single precision: a sign at the very threshold may differ.
        assert (perceptual_hash(pixels) ^ plain_hash(pixels)).bit_count() <= 1


def test_mirrors_are_masks() -> None:
    for seed in range(20):
        pixels = picture(96, 128, seed)
        value = perceptual_hash(pixels)
        left_right = perceptual_hash(pixels[:, ::-1])
        upside_down = perceptual_hash(pixels[::-1])
        assert (left_right ^ value ^ ODD_COLUMNS).bit_count() <= 1
        assert (upside_down ^ value ^ ODD_ROWS).bit_count() <= 1


def test_transpose_exchanges_frequencies() -> None:
    for seed in range(20):
        pixels = picture(96, 128, seed)
        value = perceptual_hash(pixels)
        expected = sum(
            1 << (8 * u + v) for v in range(8) for u in range(8) if value >> (8 * v + u) & 1
        )
        assert (perceptual_hash(pixels.transpose(1, 0, 2)) ^ expected).bit_count() <= 1


def test_similar_pictures_are_near_and_others_far() -> None:
    rng = np.random.default_rng(1)
    values = []
    for seed in range(20):
        pixels = picture(200, 260, seed)
        value = perceptual_hash(pixels)
        noisy = np.clip(pixels + rng.normal(0, 10, pixels.shape), 0, 255).astype(np.uint8)
        brighter = np.clip(pixels.astype(int) + 20, 0, 255).astype(np.uint8)
        smaller = np.ascontiguousarray(pixels[::2, ::2])
        for other in (noisy, brighter, smaller):
            assert (perceptual_hash(other) ^ value).bit_count() <= 12
        values.append(value)
    distances = [(a ^ b).bit_count() for i, a in enumerate(values) for b in values[:i]]
    assert np.mean(distances) > 25


def test_flat_pictures_hash_to_nothing() -> None:
    assert perceptual_hash(np.full((50, 61, 3), 140, np.uint8)) == 0
    assert perceptual_hash(np.full((1, 1), 255, np.uint8)) == 0


def test_refusals() -> None:
    with pytest.raises(NativeError, match="without pixels"):
        perceptual_hash(np.zeros((0, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="of shape"):
        perceptual_hash(np.zeros((4, 4, 2), np.uint8))
