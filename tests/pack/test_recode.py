"""``fastload.pack.recode``: the very bytes of a pack of the other codec, both ways."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastload
from fastload.errors import PackError
from fastload.native.library import NativeCode, NativeError, jpeg_of_dct
from fastload.pack import recode
from fastload.pack.flow import Progress, Report
from fastload.pack.recode import default_output, recode_pack
from fastload.store import Codec, open_pack
from tests.pack.image_files import all_kinds, photo, saved
from tests.pack.test_pack import small_folder, tree
from tests.plain_reader import read
from tests.store.damage import flip, rewrite_column, rewrite_manifest, rewrite_payload


def recoded(source: Path, root: Path, codec: str, workers: int = 2) -> Report:
    return recode_pack(open_pack(source), root, codec, workers=workers)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of every kind, bad ones too, a name that is not UTF-8, and an empty class."""
    root = tmp_path_factory.mktemp("recode") / "data"
    for label, (name, data) in enumerate(all_kinds().items()):
        path = root / "abc"[label % 3] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (root / "b" / "latin \udce9.jpg").write_bytes(saved(photo(), "JPEG"))
    (root / "empty").mkdir()
    return root


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "small shards": {"shard_size": 30_000, "seed": 3},
    "without labels": {"cls": False, "shard_size": 100_000},
    "lossy": {"quality": 70, "max_side": 40},
    "finest": {"quality": 100},
    "resized": {"max_side": 30},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_recoding_gives_the_bytes_of_packing_both_ways(
    folder: Path, tmp_path: Path, name: str
) -> None:
    packs = {
        codec: fastload.pack(
            folder, tmp_path / f"{codec}.pack", codec=codec, allow_empty=True, **OPTIONS[name]
        ).path
        for codec in ("jpeg", "dct")
    }
    assert tree(packs["jpeg"]) != tree(packs["dct"])
    for source, codec in (("jpeg", "dct"), ("dct", "jpeg")):
        report = recoded(packs[source], tmp_path / f"to {codec}.pack", codec)
        assert tree(report.path) == tree(packs[codec])
        assert report.manifest == open_pack(packs[codec]).manifest
        assert (report.files_now, report.rejected) == (report.manifest.records, [])
        assert report.bytes_out == sum(
            len(data)
            for path, data in tree(packs[codec]).items()
            if path not in ("pack.json", "rejected.csv")
        )


def test_every_coefficient_is_kept(small_pack: Path, tmp_path: Path) -> None:
    """The second reader finds the payload of the JPEG pack in the other one."""
    report = recoded(small_pack, tmp_path / "dct.pack", "dct")
    before, after = read(small_pack), read(report.path)
    assert before[0] == after[0]
    for (path, label, image, payload), (path_now, label_now, image_now, payload_now) in zip(
        before[1], after[1], strict=True
    ):
        assert (path, label) == (path_now, label_now)
        np.testing.assert_array_equal(np.asarray(image), np.asarray(image_now))
        assert payload_now == payload or jpeg_of_dct(payload_now) == payload
    assert {int(codec) for codec in open_pack(report.path).index.codec} == {Codec.DCT, Codec.QOI}


@pytest.mark.parametrize("workers", [1, 5])
def test_same_bytes_for_any_number_of_workers(
    small_pack: Path, tmp_path: Path, workers: int
) -> None:
    once = recoded(small_pack, tmp_path / "once.pack", "dct", workers=3)
    again = recoded(small_pack, tmp_path / "again.pack", "dct", workers=workers)
    assert tree(once.path) == tree(again.path)


def test_progress_reaches_the_end(small_pack: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    recode_pack(open_pack(small_pack), tmp_path / "x", "dct", workers=1, progress=seen.append)
    lengths = int(open_pack(small_pack).index.length.sum())
    assert seen[0] == Progress(0, 22, 0, lengths, 0)
    assert seen[-1] == Progress(22, 22, lengths, lengths, 0)


def test_recoding_again_does_nothing(small_pack: Path, tmp_path: Path) -> None:
    report = recoded(small_pack, tmp_path / "dct.pack", "dct")
    before = {path: path.stat().st_mtime_ns for path in report.path.rglob("*")}
    again = recoded(small_pack, report.path, "dct")
    assert again.already_packed
    assert again.manifest == report.manifest
    assert {path: path.stat().st_mtime_ns for path in report.path.rglob("*")} == before
    (report.path / "shards" / "00000.tar").unlink()
    with pytest.raises(PackError, match=r"00000\.tar is missing or damaged"):
        recoded(small_pack, report.path, "dct")


def test_another_pack_is_not_overwritten(small_pack: Path, tmp_path: Path) -> None:
    other = fastload.pack(small_folder(tmp_path / "data"), codec="dct").path
    before = tree(other)
    with pytest.raises(PackError, match=r"of other images \(the pack that is recoded is another\)"):
        recoded(small_pack, other, "dct")
    plain = fastload.pack(tmp_path / "data", tmp_path / "plain.pack", seed=1).path
    with pytest.raises(PackError, match=r"of other options \(seed 0, not 1\)"):
        recoded(plain, other, "dct")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("years of work")
    with pytest.raises(PackError, match="not empty and not a pack"):
        recoded(small_pack, tmp_path / "thesis", "dct")
    with pytest.raises(PackError, match="is a file"):
        recoded(small_pack, tmp_path / "thesis" / "thesis.tex", "dct")
    assert tree(other) == before


@pytest.mark.parametrize("inside", ["", "shards/new.pack"])
def test_a_pack_is_not_recoded_in_place(small_pack: Path, inside: str) -> None:
    before = tree(small_pack)
    with pytest.raises(PackError, match="lies inside the pack that is recoded"):
        recoded(small_pack, small_pack / inside, "dct")
    assert tree(small_pack) == before


def test_a_pack_of_this_codec_is_refused(small_pack: Path, tmp_path: Path) -> None:
    with pytest.raises(PackError, match="is of codec jpeg already"):
        recoded(small_pack, tmp_path / "x", "jpeg")
    dct = recoded(small_pack, tmp_path / "dct.pack", "dct").path
    with pytest.raises(PackError, match="is of codec dct already"):
        recoded(dct, tmp_path / "x", "dct")
    assert not (tmp_path / "x").exists()


def test_a_verbatim_pack_is_refused(label_folder: Path, tmp_path: Path) -> None:
    verbatim = fastload.pack(label_folder, tmp_path / "verbatim.pack", verbatim=True).path
    with pytest.raises(PackError, match="keeps the very bytes of its files"):
        recoded(verbatim, tmp_path / "x", "dct")
    # Records that are kept as files tell as well.
    rewrite_manifest(verbatim, lambda content: content["options"].pop("verbatim"))
    with pytest.raises(PackError, match="keeps the very bytes of its files"):
        recoded(verbatim, tmp_path / "x", "dct")


def test_a_damaged_record_is_named(small_pack: Path, tmp_path: Path) -> None:
    shutil.copytree(small_pack, tmp_path / "copy.pack")
    pack = open_pack(tmp_path / "copy.pack")
    flip(pack.root, int(pack.index.offset[6]) + 9)
    path = pack.index.path(6)
    words = rf"record 6 \({path}, shards/00000\.tar at byte \d+\) is damaged \(CRC-32C differs\)"
    with pytest.raises(PackError, match=words):
        recoded(pack.root, tmp_path / "new.pack", "dct")
    with pytest.raises(PackError, match="half-written"):
        open_pack(tmp_path / "new.pack")
    # Repaired, it goes on.
    flip(pack.root, int(pack.index.offset[6]) + 9)
    assert recoded(pack.root, tmp_path / "new.pack", "dct").manifest.records == 22


def test_a_damaged_jpeg_with_the_right_checksum_is_named(small_pack: Path, tmp_path: Path) -> None:
    shutil.copytree(small_pack, tmp_path / "copy.pack")
    pack = open_pack(tmp_path / "copy.pack")
    record = int(np.flatnonzero(pack.index.codec == Codec.JPEG)[3])
    payload = bytes(pack.payload(record))
    scan = payload.index(b"\xff\xda") + 14
    rewrite_payload(pack.root, record, payload[:scan] + bytes(len(payload) - scan))
    with pytest.raises(PackError, match=rf"record {record} .* is damaged \(cannot be recoded: "):
        recoded(pack.root, tmp_path / "new.pack", "dct")


def test_a_damaged_index_is_refused(small_pack: Path, tmp_path: Path) -> None:
    shutil.copytree(small_pack, tmp_path / "copy.pack")
    rewrite_column(tmp_path / "copy.pack", "offset", lambda values: values.__setitem__(7, 2**40))
    with pytest.raises(PackError, match="record 7 lies outside its shard"):
        recoded(tmp_path / "copy.pack", tmp_path / "new.pack", "dct")


def test_without_its_list_of_rejected_files_a_pack_is_incomplete(
    small_pack: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_pack, tmp_path / "copy.pack")
    (tmp_path / "copy.pack" / "rejected.csv").unlink()
    with pytest.raises(PackError, match=r"rejected\.csv: the file is missing"):
        recoded(tmp_path / "copy.pack", tmp_path / "new.pack", "dct")


def test_jpegs_of_other_writers_keep_their_coefficients(tmp_path: Path) -> None:
    """In the pack's layout, with Huffman tables of their own."""
    (tmp_path / "data" / "a").mkdir(parents=True)
    for number in range(6):
        file = saved(photo(60, 80 + number, number), "JPEG", restart_marker_rows=1)
        (tmp_path / "data" / "a" / f"{number}.jpg").write_bytes(file)
    other = fastload.pack(tmp_path / "data", tmp_path / "other.pack", verbatim=True).path
    rewrite_manifest(other, lambda content: content["options"].update(verbatim=False))
    own = fastload.pack(tmp_path / "data").path
    report = recoded(other, tmp_path / "dct.pack", "dct")
    assert (open_pack(report.path).index.codec == Codec.DCT).all()
    back = recoded(report.path, tmp_path / "back.pack", "jpeg")
    assert tree(other) != tree(own) == tree(back.path)


def test_options_of_other_writers(small_pack: Path, tmp_path: Path) -> None:
    """Only ``cls`` has to be there."""
    shutil.copytree(small_pack, tmp_path / "copy.pack")
    rewrite_manifest(tmp_path / "copy.pack", lambda content: content.update(options={"cls": True}))
    report = recoded(tmp_path / "copy.pack", tmp_path / "new.pack", "dct")
    assert report.manifest.options == {"cls": True, "codec": "dct"}
    shard = tmp_path / "wanted.pack" / "shards" / "00000.tar"
    recoded(small_pack, tmp_path / "wanted.pack", "dct")
    assert (report.path / "shards" / "00000.tar").read_bytes() == shard.read_bytes()


def test_the_version_of_pillow_stays_that_of_packing(small_pack: Path, tmp_path: Path) -> None:
    shutil.copytree(small_pack, tmp_path / "copy.pack")
    rewrite_manifest(
        tmp_path / "copy.pack",
        lambda content: content["writer"].update(pillow="9.0", pyarrow="1.0", fastload="0.0"),
    )
    writer = recoded(tmp_path / "copy.pack", tmp_path / "new.pack", "dct").manifest.writer
    own = json.loads((small_pack / "pack.json").read_text())["writer"]
    assert writer == {**own, "pillow": "9.0"}


def test_an_empty_pack(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    empty = fastload.pack(tmp_path / "data", allow_empty=True).path
    report = recoded(empty, tmp_path / "new.pack", "dct")
    assert read(report.path) == (["a"], [])
    assert report.manifest.features == ()


def test_no_memory_is_no_damage(
    small_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(jpeg: object) -> None:
        raise NativeError(NativeCode.OUT_OF_MEMORY, "out of memory")

    monkeypatch.setattr(recode, "dct_record", exhausted)
    with pytest.raises(MemoryError):
        recoded(small_pack, tmp_path / "new.pack", "dct")


@pytest.mark.parametrize(
    ("source", "codec", "name"),
    [
        ("train.pack", "dct", "train.dct.pack"),
        ("train.dct.pack", "jpeg", "train.jpeg.pack"),
        ("train.jpeg.pack/", "dct", "train.dct.pack"),
        ("photos", "dct", "photos.dct.pack"),
        ("photos.v2", "jpeg", "photos.v2.jpeg.pack"),
    ],
)
def test_the_default_output_lies_beside_the_pack(
    tmp_path: Path, source: str, codec: str, name: str
) -> None:
    assert default_output(tmp_path / source, codec) == tmp_path / name
