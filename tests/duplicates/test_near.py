"""Near hashes against plain NumPy; groups of a pack against what the copies were made by."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fastload
from fastload.duplicates import near_duplicate_groups, near_duplicates_of, relations
from fastload.duplicates.exact import exact_duplicate_groups
from fastload.duplicates.near import CORRELATION
from fastload.duplicates.pictures import SIDE, small_picture
from fastload.duplicates.relation import hashes_under_symmetries
from fastload.errors import PackError
from fastload.native.library import NativeError, group_near, mark_near, perceptual_hash
from fastload.store import open_pack
from tests.duplicates.copies import KINDS, photo, write_copies, write_photos
from tests.store.damage import flip

Hashes = np.ndarray


def distances(hashes: Hashes, among: Hashes) -> np.ndarray:
    """(8, n, m): bits between each hash under each symmetry and each of the others."""
    moved = np.stack([hashes_under_symmetries(value) for value in hashes], axis=1)
    differences = moved[:, :, None] ^ among
    return np.unpackbits(differences[..., None].view(np.uint8), axis=-1).sum(-1)


@st.composite
def hashes_with_copies(draw: st.DrawFn) -> Hashes:
    """Hashes, some of them a few bits from another one under some symmetry; bit 0 is 0."""
    values = draw(hnp.arrays(np.uint64, st.integers(1, 12), elements=st.integers(0, 2**64 - 1)))
    made = list(values & ~np.uint64(1))
    for _ in range(draw(st.integers(0, 12))):
        source = made[draw(st.integers(0, len(made) - 1))]
        copy = hashes_under_symmetries(source)[draw(st.integers(0, 7))]
        for bit in draw(st.sets(st.integers(1, 63), max_size=18)):
            copy ^= np.uint64(1 << bit)
        made.append(copy)
    return np.array(made, np.uint64)


@settings(deadline=None)
@given(hashes_with_copies(), hashes_with_copies(), st.integers(0, 16))
def test_pairs_are_those_of_brute_force(hashes: Hashes, among: Hashes, distance: int) -> None:
    among = np.concatenate([among, hashes[::2]])
    wanted = np.argwhere((distances(hashes, among) <= distance).any(0))
    found = near_duplicates_of(hashes, among, distance)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, wanted)


@settings(deadline=None)
@given(hashes_with_copies(), st.integers(0, 16), st.integers(1, 3))
def test_marks_are_those_of_brute_force(hashes: Hashes, distance: int, threads: int) -> None:
    near = (distances(hashes, hashes) <= distance).any(0)
    np.fill_diagonal(near, val=False)
    np.testing.assert_array_equal(mark_near(hashes, distance, threads), near.any(0))


def under(symmetry: int, image: np.ndarray) -> np.ndarray:
    """An image under a symmetry, by its number in hash_symmetry.h."""
    image = image.swapaxes(0, 1) if symmetry & 4 else image
    image = image[:, ::-1] if symmetry & 1 else image
    return np.ascontiguousarray(image[::-1] if symmetry & 2 else image)


def test_hashes_and_pictures_move_alike() -> None:
    image = np.asarray(photo(np.random.default_rng(3), 96, 128))
    predicted = hashes_under_symmetries(np.uint64(perceptual_hash(image)))
    for symmetry in range(8):
        moved = under(symmetry, image)
        assert (int(predicted[symmetry]) ^ perceptual_hash(moved)).bit_count() <= 1
        hashes = np.array([perceptual_hash(image), perceptual_hash(moved)], np.uint64)
        pictures = np.stack([small_picture(image), small_picture(moved)])
        assert group_near(hashes, pictures, 2, 0.999, threads=1).tolist() == [0, 0]
        pictures[1] = pictures[1] // 2 + 9
        assert group_near(hashes, pictures, 2, 0.999, threads=1).tolist() == [0, 0]
        pictures[1] = 255 - pictures[1]
        assert group_near(hashes, pictures, 2, 0.999, threads=1).tolist() == [0, 1]


def test_small_pictures_are_free_of_brightness_and_contrast() -> None:
    rng = np.random.default_rng(0)
    image = np.asarray(photo(rng, 120, 90))
    first = small_picture(image)
    assert first.shape == (SIDE, SIDE) and first.min() == 0 and first.max() == 255
    dull = small_picture((image // 8 + 100).astype(np.uint8))
    assert np.abs(first.astype(int) - dull).max() <= 6
    noise = rng.integers(99, 102, (200, 200, 3)).astype(np.uint8)
    assert np.unique(small_picture(noise)).tolist() == [100]
    assert small_picture(image[:1, :1]).shape == (SIDE, SIDE)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five images and eleven copies of each, packed."""
    root = tmp_path_factory.mktemp("copies")
    photos = write_photos(root / "photos", {"a": 5})
    write_copies(sorted(photos.rglob("*.png")), root / "copies")
    return fastload.pack(root / "copies", root / "copies.pack", workers=2).path


def test_copies_are_grouped_and_called_what_they_are(copies: Path) -> None:
    pack = open_pack(copies)
    seen: list[tuple[int, int]] = []
    groups = near_duplicate_groups(
        pack, workers=2, progress=lambda done, total: seen.append((done, total))
    )
    by_path = {path: record for record, path in enumerate(pack.index.paths(range(60)))}
    of_photo = [
        {int(groups[record]) for path, record in by_path.items() if f"{number:05d}" in path}
        for number in range(5)
    ]
    assert [len(found) for found in of_photo] == [1] * 5
    assert len(set(groups.tolist())) == 5
    assert seen[-1] == (60, 60)
    same_bytes = exact_duplicate_groups(pack)
    for kind in KINDS:
        records = (by_path["original/00000.jpg"], by_path[f"{kind}/00000.jpg"])
        wanted = "near" if kind in ("quality 60", "smaller", "darker", "brighter") else kind
        assert relations(pack, records, same_bytes) == ("first", wanted)


def test_a_damaged_record_is_named(copies: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pack"
    shutil.copytree(copies, copy)
    pack = open_pack(copy)
    flip(copy, int(pack.index.offset[7]) + 30)
    with pytest.raises(PackError, match=r"record 7 .*checksum mismatch"):
        near_duplicate_groups(open_pack(copy))


def test_another_distance_is_refused(copies: Path) -> None:
    with pytest.raises(NativeError, match="17 bits: at most 16"):
        near_duplicate_groups(open_pack(copies), 17)


def test_pictures_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(3, 16, 16\)"):
        group_near(np.zeros(3, np.uint64), np.zeros((3, 8, 8), np.uint8), 8, CORRELATION, threads=1)
