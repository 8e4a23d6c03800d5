"""``fastload verify`` as a user types it."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest

from fastload.store import open_pack
from tests.cli.conftest import run
from tests.store.damage import flip, rewrite_column


def test_verify_sound_packs(small_pack: Path) -> None:
    result = run("verify", small_pack)
    assert result.exit_code == 0, result.output
    assert "each of the 22 records is as it was packed" in result.stdout
    result = run("verify", "--decode", "--workers", 2, small_pack)
    assert result.exit_code == 0, result.output
    assert "each of the 22 records decodes" in result.stdout


def test_verify_names_each_record_with_a_flipped_bit(copy: Path) -> None:
    opened = open_pack(copy)
    for record in (3, 17):
        flip(copy, int(opened.index.offset[record]) + 20)
    result = run("verify", copy)
    assert result.exit_code == 1
    for record in (3, 17):
        path = opened.index.path(record)
        wanted = f"shards/00000.tar: record {record} ({path}): its bytes are not those"
        assert wanted in result.stdout
    assert result.stdout.count("record") == 2
    assert "SHA-256 differs" in result.stdout
    assert "3 faults" in result.stderr


def test_verify_finds_every_flipped_byte_of_a_shard(copy: Path) -> None:
    size = (copy / "shards" / "00000.tar").stat().st_size
    rng = np.random.default_rng(0)
    for place in [0, 100, 512, size - 1, *rng.integers(0, size, 10).tolist()]:
        flip(copy, place)
        result = run("verify", copy, "--workers", 1)
        assert result.exit_code == 1
        assert "00000.tar" in result.stdout
        flip(copy, place)
    assert run("verify", copy).exit_code == 0


@pytest.mark.parametrize("part", ["header", "cls"])
def test_verify_looks_at_the_tar_members(copy: Path, part: str) -> None:
    opened = open_pack(copy)
    offset, length = int(opened.index.offset[5]), int(opened.index.length[5])
    flip(copy, offset - 512 + 3 if part == "header" else offset + length + -length % 512 + 512)
    result = run("verify", copy)
    assert f"record 5 ({opened.index.path(5)}): " in result.stdout
    assert ("tar header" if part == "header" else "tar member of its label") in result.stdout


def test_verify_names_what_a_cut_shard_lost(copy: Path) -> None:
    shard = copy / "shards" / "00000.tar"
    opened = open_pack(copy)
    os.truncate(shard, int(opened.index.offset[19]) + 5)
    result = run("verify", copy)
    assert result.exit_code == 1
    lost = [line for line in result.stdout.splitlines() if "lies outside its shard" in line]
    assert [int(line.split("record ")[1].split()[0]) for line in lost] == [19, 20, 21]


def test_verify_names_a_missing_shard_and_a_changed_index(copy: Path) -> None:
    (copy / "shards" / "00000.tar").unlink()
    missing = run("verify", copy)
    assert "00000.tar: cannot be read (No such file or directory)" in missing.stdout
    assert "copy.pack: 1 fault. Restore" in missing.stderr
    with (copy / "index.arrow").open("r+b") as file:
        file.seek(-60, io.SEEK_END)
        file.write(b"\0")
    result = run("verify", copy)
    assert result.exit_code == 1
    assert "index.arrow" in result.output


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("crc32c", 0, "record 4 ({path}): its bytes are not those that were packed"),
        ("width", 9999, "record 4 ({path}): is "),
        ("codec", 77, "record 4 ({path}): has a codec"),
        ("label", 99, "record 4 has label 99 of 4 classes"),
        ("listing", 99, "the listing names record 99"),
    ],
)
def test_verify_checks_every_column(copy: Path, column: str, value: int, words: str) -> None:
    path = open_pack(copy).index.path(4)
    rewrite_column(copy, column, lambda values: values.__setitem__(4, value))
    result = run("verify", "--decode", copy)
    assert result.exit_code == 1
    assert words.format(path=path) in result.stdout
