"""Records of the same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

import fastload
from fastload.duplicates import exact_duplicate_groups, near_duplicate_groups
from fastload.store import Pack, open_pack
from tests.duplicates.copies import photo, write_photos
from tests.store.damage import rewrite_column


def paths_of_groups(pack: Pack, groups: np.ndarray) -> set[frozenset[str]]:
    """The paths of each group of two or more; the group is named by its least record."""
    found: dict[int, list[int]] = {}
    for record, group in enumerate(groups.tolist()):
        found.setdefault(group, []).append(record)
    assert all(group == min(records) for group, records in found.items())
    members = (pack.index.paths(records) for records in found.values() if len(records) > 1)
    return {frozenset(paths) for paths in members}


def test_what_is_stored_is_compared(tmp_path: Path) -> None:
    root = write_photos(tmp_path / "photos", {"a": 3, "b": 3})
    with Image.open(root / "a" / "0.png") as image:
        image.save(root / "a" / "again.bmp")
        image.save(root / "a" / "lossy.jpg", quality=95)
    shutil.copy(root / "a" / "1.png", root / "b" / "copy.png")
    jpeg = (root / "a" / "lossy.jpg").read_bytes()
    comment = b"\xff\xfe\x00\x07other"
    (root / "a" / "commented.jpg").write_bytes(jpeg[:2] + comment + jpeg[2:])
    pack = open_pack(fastload.pack(root, tmp_path / "data.pack", workers=2).path)
    copied = frozenset({"a/1.png", "b/copy.png"})
    assert paths_of_groups(pack, exact_duplicate_groups(pack)) == {
        copied,
        frozenset({"a/lossy.jpg", "a/commented.jpg"}),
        frozenset({"a/0.png", "a/again.bmp"}),
    }
    assert paths_of_groups(pack, near_duplicate_groups(pack)) == {
        copied,
        frozenset({"a/0.png", "a/again.bmp", "a/lossy.jpg", "a/commented.jpg"}),
    }


def test_a_checksum_alone_proves_nothing(small_pack: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pack"
    shutil.copytree(small_pack, copy)
    for column in ("crc32c", "length", "codec", "width", "height"):
        rewrite_column(copy, column, lambda values: values.__setitem__(slice(None), values.min()))
    assert exact_duplicate_groups(open_pack(copy)).tolist() == list(range(22))


def test_a_pack_of_one_and_of_copies_alone(tmp_path: Path) -> None:
    image = photo(np.random.default_rng(0), 40, 50)
    (tmp_path / "photos" / "a").mkdir(parents=True)
    for count in (1, 30):
        for number in range(count):
            image.save(tmp_path / "photos" / "a" / f"{number}.jpg")
        report = fastload.pack(tmp_path / "photos", tmp_path / f"{count}.pack", workers=1)
        pack = open_pack(report.path)
        for groups in (exact_duplicate_groups(pack), near_duplicate_groups(pack)):
            assert groups.dtype == np.int64 and groups.tolist() == [0] * len(pack)
