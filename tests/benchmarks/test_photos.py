from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import photos
from benchmarks.crops import cut_crops, read_crops
from benchmarks.photos import cut_photos, describe, label_folder, quality_words
from fastload.bench.quality import quality_of

pytest.importorskip("sklearn", reason="scikit-learn ships the sample photos that are cut")


def test_cut_photos_are_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        cut_photos(tmp_path / name, 6)
    first, second = (
        {file.relative_to(root): file.read_bytes() for file in root.rglob("*.jpg")}
        for root in (tmp_path / "a", tmp_path / "b")
    )
    assert len(first) == 6
    assert first == second


def test_a_clone_without_the_real_photos_cuts_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTLOAD_TEST_DATA", str(tmp_path / "absent"))
    monkeypatch.setattr(photos, "FULL", 8)
    assert label_folder(smoke=False, scratch=tmp_path).images == 8


def test_a_folder_is_described_by_its_files(tmp_path: Path) -> None:
    cut_photos(tmp_path, 5)
    found = describe(tmp_path, "cuts")
    assert found.images == 5
    assert found.bytes == sum(file.stat().st_size for file in tmp_path.rglob("*.jpg"))
    assert str(found).startswith("5 images (cuts), ")
    assert found.quality == "JPEG (quality 90)"
    assert set(found.as_dict()) == {
        *("name", "images", "bytes", "mean_width", "mean_height", "quality")
    }


def test_crops_are_drawn_once_and_lie_inside(tmp_path: Path) -> None:
    cut_photos(tmp_path / "photos", 6)
    sizes = [cut_crops(tmp_path / "photos", 4, tmp_path / f"{name}.npz") for name in "ab"]
    assert sizes[0] == sizes[1]
    crops = read_crops(str(tmp_path / "a.npz"))
    assert len(crops) == 4
    assert all(crop.shape[2] == 3 and crop.size for crop in crops)
    assert sizes[0][0] == pytest.approx(sum(crop.shape[0] for crop in crops) / 4)


@pytest.mark.parametrize("quality", [5, 30, 50, 75, 90, 96, 100])
def test_a_jpegs_quality_is_read_off_its_tables(tmp_path: Path, quality: int) -> None:
    file = tmp_path / "one.jpg"
    Image.new("RGB", (16, 16)).save(file, quality=quality)
    with Image.open(file) as image:
        found = quality_of(image.quantization[0])
    # The table's entries end at 255, which qualities below 25 reach.
    assert found == pytest.approx(quality, abs=0 if quality >= 25 else 10)


def test_formats_and_qualities_in_words() -> None:
    assert quality_words(Counter(JPEG=2), [90, 90]) == "JPEG (quality 90)"
    assert quality_words(Counter(PNG=2, JPEG=1), [75]) == "PNG and JPEG (quality 75)"
