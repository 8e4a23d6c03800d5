from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastload.bench.described import describe
from fastload.bench.preparing import prepare, prepare_packed
from fastload.bench.quality import quality_of
from fastload.bench.sample import link, sampled
from fastload.errors import FastloadError
from fastload.pack.scan import scan
from fastload.store import open_pack
from tests.conftest import COUNTS, write_label_folder


def quiet(_: str) -> None:
    """Says nothing."""


@pytest.mark.parametrize("quality", [10, 50, 75, 90, 95, 100])
def test_quality_of_libjpeg_is_found(quality: int, tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=quality)
    with Image.open(tmp_path / "a.jpg") as image:
        assert quality_of(image.quantization[0]) == quality  # type: ignore[attr-defined]


def test_a_folder_in_figures(label_folder: Path) -> None:
    listing = scan(label_folder)
    found = describe(listing, "photos")
    sizes = []
    for path in listing.paths:
        with Image.open(label_folder / path) as image:
            sizes.append(image.size)
    assert (found.mean_width, found.mean_height) == pytest.approx(tuple(np.mean(sizes, axis=0)))
    assert found.images == sum(COUNTS.values())
    assert found.bytes == sum((label_folder / path).stat().st_size for path in listing.paths)
    assert found.quality == "82% JPEG, 18% PNG (JPEG quality 90 by the quantisation tables)"


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.jpg").write_bytes(b"no image")
    with pytest.raises(FastloadError, match="none of 1 files could be read"):
        describe(scan(tmp_path), "photos")


@pytest.mark.parametrize("images", [1, 5, 11, 21, 22, 1000])
def test_a_sample_is_spread_evenly(label_folder: Path, images: int) -> None:
    listing = scan(label_folder)
    chosen = sampled(listing, images, 10**9)
    assert len(chosen) == min(images, len(listing))
    assert set(chosen.paths) <= set(listing.paths) and chosen.paths == sorted(chosen.paths)
    for name, count in COUNTS.items():
        kept = sum(path.startswith(f"{name}/") for path in chosen.paths)
        assert abs(kept - count * len(chosen) / len(listing)) < 1
    names = [path.partition("/")[0] for path in chosen.paths]
    assert [chosen.classes[label] for label in chosen.labels] == names


def test_a_sample_has_so_many_bytes(label_folder: Path) -> None:
    listing = scan(label_folder)
    half = int(listing.sizes.sum()) // 2
    assert len(sampled(listing, 1000, half)) == len(listing) // 2
    assert len(sampled(listing, 1000, 0)) == 1


def test_links_are_a_label_folder(label_folder: Path, tmp_path: Path) -> None:
    chosen = sampled(scan(label_folder), 7, 10**9)
    link(chosen, tmp_path / "images")
    again = scan(tmp_path / "images")
    assert (again.paths, again.classes) == (chosen.paths, chosen.classes)
    assert again.sizes.tolist() == chosen.sizes.tolist()


def test_prepared(label_folder: Path, tmp_path: Path) -> None:
    prepared = prepare(label_folder, tmp_path, images=8, dct=True, tell=quiet)
    assert prepared.photos.images == 8
    for pack in (prepared.pack, prepared.dct_pack):
        assert pack is not None and len(open_pack(pack)) == 8
    assert prepared.packing_seconds and prepared.dct_packing_seconds
    [note] = prepared.notes
    assert note == "A sample: 8 of 22 images, evenly taken, of 4 of 4 classes."


def test_unreadable_files_are_left_out_of_both(tmp_path: Path) -> None:
    data = write_label_folder(tmp_path / "data")
    (data / "ant" / "000.jpg").write_bytes(b"broken")
    (tmp_path / "scratch").mkdir()
    prepared = prepare(data, tmp_path / "scratch", images=100, dct=False, tell=quiet)
    assert prepared.photos.images == len(open_pack(prepared.pack)) == 21
    assert len(scan(prepared.folder)) == 21
    assert prepared.notes == ["Files that cannot be read are left out: 1."]


def test_no_room_is_said_before_packing(
    label_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(FastloadError, match=r"1\.0 kB free.*TMPDIR"):
        prepare(label_folder, tmp_path, images=8, dct=False, tell=quiet)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_pack_is_of_the_same_files(
    label_folder: Path, small_pack: Path, tmp_path: Path
) -> None:
    prepared = prepare_packed(label_folder, small_pack, tmp_path, dct=False, tell=quiet)
    assert (prepared.folder, prepared.pack) == (label_folder, small_pack)
    assert prepared.packing_seconds is None and prepared.in_memory
    other = write_label_folder(tmp_path / "other", seed=1)
    with pytest.raises(FastloadError, match="other files"):
        prepare_packed(other, small_pack, tmp_path, dct=False, tell=quiet)
