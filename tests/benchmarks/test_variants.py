from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.photos import describe
from benchmarks.variants import (
    LEAST_LARGE,
    MOST_SMALL,
    image_files,
    write_long_tail,
    write_png,
    write_resized,
    write_sides,
)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Forty pictures of noise, 600 x 450, but for one of 90 x 300."""
    folder = tmp_path / "photos" / "one"
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    for number in range(40):
        size = (300, 90, 3) if number == 7 else (450, 600, 3)
        coarse = draw.integers(0, 256, (size[0] // 10, size[1] // 10, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize(size[1::-1])
        image.save(folder / f"{number:02}.jpg", quality=75)
    return folder.parent


def sizes(folder: Path) -> list[tuple[int, int]]:
    return [Image.open(file).size for file in image_files(folder)]


def test_png_files_have_the_same_pixels_and_names(photos: Path, tmp_path: Path) -> None:
    write_png(photos, tmp_path / "png")
    before, after = image_files(photos), image_files(tmp_path / "png")
    assert [file.stem for file in after] == [file.stem for file in before]
    assert np.array_equal(Image.open(before[0]), Image.open(after[0]))
    assert describe(tmp_path / "png", "png").quality == "PNG"


def test_resized_photos_are_no_larger_than_400_and_all_of_one_quality(
    photos: Path, tmp_path: Path
) -> None:
    write_resized(photos, tmp_path / "resized")
    found = sizes(tmp_path / "resized")
    assert found.count((400, 300)) == 39
    assert found[7] == (90, 300)
    assert describe(tmp_path / "resized", "").quality == "JPEG (quality 90)"


@pytest.mark.parametrize(("side", "count"), [(64, MOST_SMALL), (600, 248), (2200, LEAST_LARGE)])
def test_pictures_of_every_size_fewer_of_the_large(
    photos: Path, tmp_path: Path, side: int, count: int
) -> None:
    write_sides(photos, tmp_path / "sides", side)
    assert sizes(tmp_path / "sides") == [(side, side * 3 // 4)] * count
    assert len(list((tmp_path / "sides").iterdir())) > 1


def test_a_large_picture_has_the_detail_of_photos_all_over(photos: Path, tmp_path: Path) -> None:
    for file in image_files(photos)[3:]:
        file.unlink()
    write_sides(photos, tmp_path / "sides", 1100)
    pixels = np.asarray(Image.open(image_files(tmp_path / "sides")[0]).convert("L"), np.float32)
    columns = np.abs(np.diff(pixels, axis=1)).mean(axis=0)
    # The last column of tiles is cut; no strip of the mosaic is empty.
    assert np.convolve(columns, np.ones(50) / 50, "valid").min() > 0.5


def test_the_long_tail_has_its_nineteen_classes_as_png(tmp_path: Path) -> None:
    folder = write_long_tail(0.001, tmp_path / "tail")
    found = describe(folder, "tail")
    assert [len(list(one.iterdir())) for one in folder.iterdir()] == [3] * 19
    assert (found.images, found.quality) == (57, "PNG")
    assert (found.mean_width, found.mean_height) == (640, 620)
