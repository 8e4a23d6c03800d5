"""A reader refuses what it cannot trust, and says what is wrong with which file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import fastload
from fastload.errors import PackError
from fastload.store import Pack, open_pack
from tests.store.damage import (
    declare_index,
    read_index,
    rewrite_column,
    rewrite_manifest,
    write_index,
)


@pytest.fixture
def pack(small_pack: Path, tmp_path: Path) -> Path:
    """A pack of 22 records in four classes that may be damaged."""
    shutil.copytree(small_pack, tmp_path / "copy")
    return tmp_path / "copy"


def use(path: Path) -> Pack:
    """Open a pack and ask for everything once."""
    pack = open_pack(path)
    assert pack.index.listing is not None
    pack.locate(np.arange(len(pack)))
    assert len(pack.index.paths(range(len(pack)))) == len(pack)
    return pack


def test_sound_packs_are_read(pack: Path) -> None:
    assert len(use(pack)) == 22


def put(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change of a manifest: ``a.0.b`` is key b of the first entry of list a."""

    def change(content: Any) -> None:
        *above, last = key.split(".")
        for part in above:
            content = content[int(part) if part.isdigit() else part]
        if value is KeyError:
            del content[last]
        else:
            content[last] = value

    return change


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("format", "something-else", "not a fastload pack"),
        ("format", KeyError, "not a fastload pack"),
        ("version", [2, 0], r"format version 2\.0, this fastload reads 1\.x. Upgrade fastload"),
        ("version", [0, 9], r"format version 0\.9"),
        ("version", "1.0", "'version' is '1.0', expected list"),
        ("version", [1], r"expected \[major, minor\]"),
        ("required_features", ["time-travel"], "needs time-travel, which this fastload does not"),
        ("required_features", None, "'required_features' is missing"),
        ("records", 21, "21 records are declared, the shards hold 22"),
        ("records", KeyError, "'records' is missing"),
        ("records", True, "'records' is True, expected int"),
        ("records", -1, "expected a natural number"),
        ("classes.0.count", 8, "the classes 21"),
        ("classes.0.count", "9", "'count' is '9', expected int"),
        ("classes", ["ant"], "'classes' holds something else than objects"),
        ("classes.1.name", "ant", "two classes have the same name"),
        ("classes.1.name", "../bee", "cannot be the name of a class folder"),
        ("classes.1.name", "..", "cannot be the name of a class folder"),
        ("classes.1.name", "", "cannot be the name of a class folder"),
        ("classes.1.bytes", "2e2e", "cannot be the name of a class folder"),
        ("classes.1.bytes", "no hex", "bytes that are not hex"),
        ("shards.0.name", "../../00000.tar", "shard 0 is named"),
        ("shards.0.sha256", "abc", "expected 64 hexadecimal digits"),
        ("shards.0.records", 0, "22 records are declared, the shards hold 0"),
        ("index", [], "'index' is .., expected dict"),
        ("index.size", 12, "bytes, 12 are declared"),
        ("source.fingerprint", KeyError, "'fingerprint' is missing"),
        ("options", KeyError, "'options' is missing"),
    ],
)
def test_manifests(pack: Path, key: str, value: Any, words: str) -> None:
    rewrite_manifest(pack, put(key, value))
    with pytest.raises(PackError, match=words) as refused:
        open_pack(pack)
    assert str(pack) in str(refused.value)


def test_an_older_reader_refuses_dct_records_by_name(
    label_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fastload.pack(label_folder, tmp_path / "dct.pack", codec="dct").path
    assert len(use(root)) == 22
    monkeypatch.setattr("fastload.store.manifest.KNOWN_FEATURES", frozenset({"binary-paths"}))
    with pytest.raises(PackError, match="the pack needs dct, which this fastload does not know"):
        open_pack(root)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("index.name", KeyError, "'name' is missing"),
        ("index.name", "index.arrow", "after 1 appends it is index-2.arrow"),
        ("index.name", "../../index-2.arrow", "the index is named '../../index-2.arrow'"),
        ("source.appended", KeyError, "'appended' is missing"),
        ("source.appended", [], "images were appended, and 'appended' is empty"),
        ("source.appended.0.records", 0, "does not begin with a shard"),
        ("source.appended.0.records", 21, "does not begin with a shard"),
        ("source.appended.0.records", 23, "does not begin with a shard"),
        ("source.appended.0.writer", KeyError, "'writer' is missing"),
        ("required_features", [], r"index\.arrow: the file is missing"),
    ],
)
def test_manifests_of_appended_packs(pack: Path, key: str, value: Any, words: str) -> None:
    """What one append gives whose images were all that there are."""
    (pack / "index.arrow").rename(pack / "index-2.arrow")
    part = {"files": 22, "bytes": 0, "records": 22, "duplicates": 0, "rejected": 0}

    def append(content: dict[str, Any]) -> None:
        content["required_features"] = ["appended"]
        content["index"]["name"] = "index-2.arrow"
        fingerprint = content["source"]["fingerprint"]
        content["source"]["appended"] = [{**part, "fingerprint": fingerprint, "writer": {}}]

    rewrite_manifest(pack, append)
    assert len(use(pack)) == 22
    rewrite_manifest(pack, put(key, value))
    with pytest.raises(PackError, match=words):
        open_pack(pack)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b'"fastload-pack"', b"[" * 10_000])
def test_manifests_that_are_none(pack: Path, data: bytes) -> None:
    (pack / "pack.json").write_bytes(data)
    with pytest.raises(PackError, match=r"pack\.json"):
        open_pack(pack)


def test_a_shard_without_records(pack: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["shards"].append({**content["shards"][0], "name": "00001.tar", "records": 0})

    rewrite_manifest(pack, change)
    with pytest.raises(PackError, match="a shard has no records"):
        open_pack(pack)


def test_a_newer_minor_version_is_read(pack: Path) -> None:
    rewrite_manifest(pack, put("version", [1, 7]))
    rewrite_manifest(pack, put("news", {"of": "version 1.7"}))
    table = read_index(pack)
    write_index(pack, table.add_column(0, "news", pa.array(np.arange(22))))
    assert use(pack).manifest.version == (1, 7)


def test_no_pack(label_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        open_pack(tmp_path / "nowhere")
    with pytest.raises(PackError, match=r"is not a pack .*run `fastload pack"):
        open_pack(label_folder)
    (tmp_path / "file").write_text("")
    with pytest.raises(PackError, match="is not a pack"):
        open_pack(tmp_path / "file")


def test_index_missing(pack: Path) -> None:
    (pack / "index.arrow").unlink()
    with pytest.raises(PackError, match=r"index\.arrow: the file is missing"):
        open_pack(pack)


@pytest.mark.parametrize("size", [0, 1, 100, -1, 10_000_000])
def test_index_cut_or_grown(pack: Path, size: int) -> None:
    path = pack / "index.arrow"
    whole = path.stat().st_size
    os.truncate(path, size if size >= 0 else whole + size)
    with pytest.raises(PackError, match=f"{whole} are declared"):
        open_pack(pack)


def test_index_cut_and_declared(pack: Path) -> None:
    path = pack / "index.arrow"
    for size in range(0, path.stat().st_size, 97):
        data = path.read_bytes()
        path.write_bytes(data[:size])
        declare_index(pack)
        with pytest.raises(PackError, match="not an Arrow file"):
            open_pack(pack)
        path.write_bytes(data)


def test_index_with_any_damaged_byte_is_refused_or_read(pack: Path) -> None:
    """Whatever is damaged, it ends in PackError or in plain values, never in a crash."""
    path = pack / "index.arrow"
    sound = path.read_bytes()
    for place in [*range(0, 1500, 7), *range(len(sound) - 1500, len(sound), 7)]:
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 0xFF]) + sound[place + 1 :])
        try:
            use(pack)
        except (PackError, UnicodeDecodeError):
            continue


def test_index_that_is_compressed(pack: Path) -> None:
    table = read_index(pack)
    repeated = pa.concat_tables([table] * 40).combine_chunks()
    write_index(pack, repeated, compression="zstd")
    with pytest.raises(PackError, match="is compressed"):
        open_pack(pack)


def test_index_of_two_batches(pack: Path) -> None:
    table = read_index(pack)
    write_index(pack, pa.concat_tables([table.slice(0, 11), table.slice(11)]))
    with pytest.raises(PackError, match="2 record batches instead of one"):
        open_pack(pack)


def test_index_with_fewer_rows(pack: Path) -> None:
    write_index(pack, read_index(pack).slice(0, 21).combine_chunks())
    with pytest.raises(PackError, match="21 rows, 22 records are declared"):
        open_pack(pack)


@pytest.mark.parametrize("name", ["offset", "path", "label"])
def test_index_without_a_column(pack: Path, name: str) -> None:
    write_index(pack, read_index(pack).drop_columns([name]))
    with pytest.raises(PackError, match=f"no column '{name}'"):
        open_pack(pack)


def test_index_with_a_column_of_another_type(pack: Path) -> None:
    table = read_index(pack)
    place = table.schema.get_field_index("length")
    write_index(pack, table.set_column(place, "length", table.column("length").cast(pa.uint64())))
    with pytest.raises(PackError, match="no column 'length' of type uint32"):
        open_pack(pack)


def test_index_with_nulls(pack: Path) -> None:
    table = read_index(pack)
    place = table.schema.get_field_index("crc32c")
    values = pa.array([None, *table.column("crc32c").to_pylist()[1:]], pa.uint32())
    write_index(pack, table.set_column(place, "crc32c", values))
    with pytest.raises(PackError, match="column 'crc32c' has nulls"):
        open_pack(pack)


def set_item(place: int, value: int) -> Callable[[np.ndarray], None]:
    return lambda values: values.__setitem__(place, value)


@pytest.mark.parametrize(
    ("column", "change", "words"),
    [
        ("label", set_item(5, 4), "record 5 has label 4 of 4 classes"),
        ("label", set_item(5, 2**32 - 1), "record 5 has label 4294967295"),
        ("label", lambda values: values.fill(0), "class 0 has 22 records, 9 are declared"),
        ("listing", set_item(3, 22), "the listing names record 22 of 22"),
        ("listing", set_item(3, 2**64 - 1), "the listing names record 18446744073709551615"),
        ("listing", lambda values: values.__setitem__(1, values[0]), "listing leaves out record"),
        ("listing", lambda values: values.sort(), "not in the order of the classes"),
        ("offset", set_item(7, 2**40), "record 7 lies outside its shard"),
        ("offset", set_item(7, 2**64 - 100), "record 7 lies outside its shard"),
        ("length", set_item(0, 2**32 - 1), "record 0 lies outside its shard"),
        ("length", set_item(21, 0), "record 21 is empty"),
        ("shard", set_item(2, 1), "record 2 is not in shard 0"),
        ("width", set_item(2, 0), "record 2 has no pixels"),
        ("height", set_item(3, 0), "record 3 has no pixels"),
        ("codec", set_item(4, 1), "record 4 has the codec dct, which pack.json does not announce"),
        ("codec", set_item(4, 9), "record 4 has a codec that this fastload does not know"),
    ],
)
def test_rows(pack: Path, column: str, change: Callable[[np.ndarray], object], words: str) -> None:
    rewrite_column(pack, column, change)
    with pytest.raises(PackError, match=words) as refused:
        use(pack)
    assert "index.arrow" in str(refused.value)


def test_paths_outside_the_index(pack: Path) -> None:
    data = bytearray((pack / "index.arrow").read_bytes())
    ends = np.array(
        [len(path.as_py()) for path in read_index(pack).column("path")], np.int64
    ).cumsum()
    place = data.index(ends[:4].tobytes())
    data[place : place + 8] = np.int64(2**50).tobytes()
    (pack / "index.arrow").write_bytes(data)
    declare_index(pack)
    with pytest.raises(PackError, match="the path of record 0 lies outside the index"):
        use(pack)


def test_shard_missing(pack: Path) -> None:
    (pack / "shards" / "00000.tar").unlink()
    with pytest.raises(PackError, match=r"00000\.tar: the shard is missing"):
        use(pack)


@pytest.mark.parametrize("change", [-1, -512, 512])
def test_shard_cut_or_grown(pack: Path, change: int) -> None:
    path = pack / "shards" / "00000.tar"
    os.truncate(path, path.stat().st_size + change)
    with pytest.raises(PackError, match=r"00000\.tar: the shard has \d+ bytes, \d+ are declared"):
        use(pack)


def test_shard_empty(pack: Path) -> None:
    os.truncate(pack / "shards" / "00000.tar", 0)
    with pytest.raises(PackError, match=r"00000\.tar: the shard cannot be mapped"):
        use(pack)
