from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import photos
from benchmarks.crops import cut_crops, read_crops
from benchmarks.photos import cut_photos, describe, label_folder

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
    assert str(found).startswith("5 photos of cuts, ")


def test_crops_are_drawn_once_and_lie_inside(tmp_path: Path) -> None:
    cut_photos(tmp_path / "photos", 6)
    sizes = [cut_crops(tmp_path / "photos", 4, tmp_path / f"{name}.npz") for name in "ab"]
    assert sizes[0] == sizes[1]
    crops = read_crops(str(tmp_path / "a.npz"))
    assert len(crops) == 4
    assert all(crop.shape[2] == 3 and crop.size for crop in crops)
    assert sizes[0][0] == pytest.approx(sum(crop.shape[0] for crop in crops) / 4)
