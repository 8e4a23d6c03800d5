"""Packs that give up pixels on request: how large, how good, and what is left alone."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastload
from fastload.pack.encode import Encoded, encode
from fastload.pack.options import Options
from fastload.store import Codec, open_pack
from tests.pack.image_files import photo, saved
from tests.plain_reader import read


def encoded(image: Image.Image, file_format: str, **options: int) -> Encoded:
    outcome = encode(saved(image, file_format), Options(**options))
    assert isinstance(outcome, Encoded)
    return outcome


def decoded(record: Encoded) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(record.payload)).convert("RGB"))


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return 10 * np.log10(255**2 / error)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_quality_makes_everything_jpeg(file_format: str) -> None:
    image = photo(120, 90)
    record = encoded(image, file_format, quality=80)
    shown = np.asarray(Image.open(io.BytesIO(saved(image, file_format))).convert("RGB"))
    assert (record.codec, record.extension) == (Codec.JPEG, ".jpg")
    assert (record.width, record.height) == (90, 120)
    assert record.psnr == pytest.approx(psnr(decoded(record), shown))
    assert record.psnr > 25


def test_more_quality_is_better_and_larger() -> None:
    low, high = (encoded(photo(200, 200), "PNG", quality=quality) for quality in (40, 95))
    assert len(low.payload) < len(high.payload)
    assert low.psnr + 1 < high.psnr


@pytest.mark.parametrize(
    ("height", "width", "side", "size"),
    [(100, 60, 50, (30, 50)), (60, 100, 50, (50, 30)), (7, 1000, 100, (100, 1)), (9, 9, 1, (1, 1))],
)
def test_the_longer_side_is_as_asked(
    height: int, width: int, side: int, size: tuple[int, int]
) -> None:
    record = encoded(photo(height, width), "PNG", max_side=side)
    assert (record.width, record.height) == size
    assert record.codec == Codec.QOI
    wanted = photo(height, width).resize(size, Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(decoded(record), np.asarray(wanted))


def test_a_resized_jpeg_stays_jpeg() -> None:
    record = encoded(photo(200, 100), "JPEG", max_side=100)
    assert record.codec == Codec.JPEG
    assert (record.width, record.height) == (50, 100)
    assert record.psnr > 30


def test_a_small_enough_image_is_not_touched() -> None:
    image = photo(64, 48)
    for kind in ("JPEG", "PNG"):
        record = encoded(image, kind, max_side=64)
        assert record.payload == encoded(image, kind).payload
        assert math.isnan(record.psnr)  # not lossy


def test_grey_stays_grey() -> None:
    record = encoded(photo(64, 48).convert("L"), "PNG", quality=90)
    assert Image.open(io.BytesIO(record.payload)).mode == "L"
    assert record.psnr > 30


def test_without_loss_there_is_no_psnr() -> None:
    assert np.isnan(encoded(photo(), "JPEG").psnr)
    assert np.isnan(encoded(photo(), "PNG", max_side=20).psnr)


def test_the_report_tells_what_was_lost(label_folder: Path, tmp_path: Path) -> None:
    report = fastload.pack(label_folder, tmp_path / "lossy.pack", max_side=64, quality=70)
    _, samples = read(report.path)
    assert max(max(image.size) for _, _, image, _ in samples) == 64
    values = []
    for path, _, image, _ in samples:
        shown = Image.open(label_folder / path).convert("RGB")
        if max(shown.size) > 64:
            shown = shown.resize(image.size, Image.Resampling.LANCZOS)
        values.append(psnr(np.asarray(image), np.asarray(shown)))
    measured = report.manifest.measured
    assert measured["lossy_records"] == 22
    assert measured["psnr_mean_db"] == pytest.approx(np.mean(values), abs=1e-3)
    assert measured["psnr_worst_db"] == pytest.approx(min(values), abs=1e-3)
    assert report.bytes_out < report.manifest.source.bytes


def test_perceptual_hashes_hardly_change(label_folder: Path, tmp_path: Path) -> None:
    plain = open_pack(fastload.pack(label_folder, tmp_path / "plain.pack").path)
    lossy = open_pack(fastload.pack(label_folder, tmp_path / "lossy.pack", quality=60).path)
    both = plain.index.perceptual_hash ^ lossy.index.perceptual_hash
    distances = [bits.bit_count() for bits in both.tolist()]
    assert np.median(distances) <= 4
    assert len(set(plain.index.perceptual_hash.tolist())) > 20
