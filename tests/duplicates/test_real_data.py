"""How many copies of real photos are found, and how many photos are taken for copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fastload
from fastload.duplicates import DISTANCE, near_duplicate_groups
from fastload.duplicates.near import CORRELATION
from fastload.duplicates.pictures import small_pictures
from fastload.native.library import group_near
from fastload.store import Pack, open_pack
from tests.duplicates.copies import KINDS, ORIGINAL, write_copies

# Of the photos, that copies are made of.
EVERY = 3

# Recall of each kind of copy; brightening clips what was bright already.
LEAST_FOUND = 0.95


def folder(real_photos: Path, name: str) -> Path:
    data = real_photos.parent / name
    if not data.is_dir():
        pytest.skip(f"{name} is not at {data} (set FASTLOAD_TEST_DATA)")
    return data


def found_by_kind(pack: Pack, photos: int) -> dict[str, float]:
    """The share of each kind's copies that are found among the originals and that kind alone."""
    pictures = small_pictures(pack, np.arange(len(pack)), workers=2)
    # One folder a kind and the same names in each: the listing has the kinds one after another.
    of_kind = dict(
        zip(pack.classes, pack.index.listing.astype(np.int64).reshape(-1, photos), strict=True)
    )
    found = {}
    for kind in KINDS:
        records = np.concatenate([of_kind[ORIGINAL], of_kind[kind]])
        hashes = pack.index.perceptual_hash[records]
        groups = group_near(hashes, pictures[records], DISTANCE, CORRELATION, threads=2)
        found[kind] = float((groups[:photos] == groups[photos:]).mean())
    return found


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["imagenet-lt20", "magnetic-tile"])
def test_copies_are_found(real_photos: Path, name: str, tmp_path: Path) -> None:
    photos = sorted(path for path in folder(real_photos, name).rglob("*") if path.is_file())
    photos = photos[::EVERY]
    write_copies(photos, tmp_path / "copies")
    pack = open_pack(fastload.pack(tmp_path / "copies", tmp_path / "copies.pack", workers=2).path)
    found = found_by_kind(pack, len(photos))
    assert {kind: share for kind, share in found.items() if share < LEAST_FOUND} == {}


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "most_in_a_group", "most_pairs"),
    # No two of these ImageNet photos show the same. Tiles were photographed in series of 6, some
    # twice: most of the pairs are true.
    [("imagenet-lt20", 1, 0.0), ("magnetic-tile", 16, 0.004)],
)
def test_other_photos_are_no_duplicates(
    real_photos: Path, name: str, most_in_a_group: int, most_pairs: float, tmp_path: Path
) -> None:
    report = fastload.pack(folder(real_photos, name), tmp_path / "data.pack", workers=2)
    groups = near_duplicate_groups(open_pack(report.path))
    sizes = np.bincount(groups)
    assert sizes.max() <= most_in_a_group
    pairs = (sizes * (sizes - 1) // 2).sum()
    assert pairs <= most_pairs * (len(groups) * (len(groups) - 1) // 2)
