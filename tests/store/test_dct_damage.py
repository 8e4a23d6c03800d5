"""Damaged .dct records whose checksums are right: whoever reads them names the record."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from torchvision.transforms import transforms as v1

import fastload
from fastload.errors import PackError, RecordError
from fastload.pack.recode import recode_pack
from fastload.store import Codec, open_pack
from tests.cli.conftest import run
from tests.pack.image_files import photo, saved
from tests.pack.test_pack import small_folder
from tests.store.damage import rewrite_payload

DAMAGED = 5
HEADER = 16
TABLES = 3 * 128
WHOLE = v1.Compose([v1.Resize((16, 16)), v1.PILToTensor()])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirteen .dct records, of which number 5 has three components and several groups."""
    folder = tmp_path_factory.mktemp("damage") / "data"
    for number in range(13):
        path = small_folder(folder) if number == 0 else folder
        file = saved(photo(90, 300, number), "JPEG", quality=95)
        (path / "a" / f"large{number}.jpg").write_bytes(file)
    root = fastload.pack(folder, codec="dct").path
    pack = open_pack(root)
    assert (pack.index.codec == Codec.DCT).all()
    assert pack.index.width[DAMAGED] == 300
    return root


def put(at: int, value: bytes) -> Callable[[bytes], bytes]:
    return lambda record: record[:at] + value + record[at + len(value) :]


def cut(size: int) -> Callable[[bytes], bytes]:
    return lambda record: record[:size]


def first_group(record: bytes) -> int:
    """Behind the directory: 6 rows of MCUs, 3 times 8 of them across, 4 block rows in each."""
    return HEADER + TABLES + 2 * 6 * 3 * 4


def longer_first_group(record: bytes) -> bytes:
    at = HEADER + TABLES
    one, other = struct.unpack_from("<2H", record, at)
    return record[:at] + struct.pack("<2H", one + 1, other - 1) + record[at + 4 :]


def longer_first_block(record: bytes) -> bytes:
    """Two neighbours' lengths of AC coefficients no longer where they end."""
    at = first_group(record) + 2 * 16
    return record[:at] + bytes([record[at] + 1, record[at + 1] - 1]) + record[at + 2 :]


def emptier_first_block(record: bytes) -> bytes:
    """The mask of its first row no longer names the coefficients that are there."""
    at = first_group(record) + 3 * 16 + 1
    assert record[at].bit_count() > 2
    return put(at, b"\0")(record)


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "no bytes of a record": (put(0, b"RIFF"), "does not begin as one"),
    "a newer version": (put(4, b"\2"), "of a version that this fastload does not know"),
    "two components": (put(5, b"\2"), "unknown colours"),
    "colours of 9": (put(6, b"\x09"), "unknown colours"),
    "no width": (put(8, b"\0\0"), "no pixels"),
    "no height": (put(10, b"\0\0"), "no pixels"),
    "a larger height": (put(10, b"\x00\x80"), "ends within its directory"),
    "an impossible height": (put(10, b"\xff\xff"), "a side that no JPEG has"),
    "factors of 0": (put(12, b"\0"), "impossible sampling"),
    "factors of 5": (put(12, b"\x55"), "impossible sampling"),
    "factors of 3 and 2": (put(12, b"\x31\x21\x21"), "impossible sampling"),
    "sixteen blocks an MCU": (put(12, b"\x44\x11\x11"), "impossible sampling"),
    "other factors": (put(12, b"\x11"), "its groups are not all of its bytes"),
    "a group more": (put(HEADER + TABLES, b"\xff\xff"), "its groups are not all of its bytes"),
    "a longer group": (longer_first_group, "bytes that say other blocks"),
    "a longer block": (longer_first_block, "bytes that say other blocks"),
    "fewer coefficients": (emptier_first_block, "bytes that say other blocks"),
    "a part of the header": (cut(10), "does not begin as one"),
    "the header alone": (cut(HEADER), "ends within its tables"),
    "no directory": (cut(HEADER + TABLES), "ends within its directory"),
    "no last byte": (lambda record: record[:-1], "its groups are not all of its bytes"),
    "a byte more": (lambda record: record + b"\0", "its groups are not all of its bytes"),
}


@pytest.fixture(params=DAMAGE)
def damaged(sound: Path, tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, str]:
    """A pack with one damaged record, and what is to be said of it."""
    change, words = DAMAGE[request.param]
    root = tmp_path / "damaged.pack"
    shutil.copytree(sound, root)
    rewrite_payload(root, DAMAGED, change(bytes(open_pack(sound).payload(DAMAGED))))
    return root, f"DCT record: {words}"


def test_every_reader_names_the_record(damaged: tuple[Path, str]) -> None:
    root, words = damaged
    dataset = fastload.ImageFolder(root, WHOLE)
    place = dataset.pack.index.listing.tolist().index(DAMAGED)
    path = dataset.pack.index.path(DAMAGED)
    named = rf"record 5 \({path}, in shards/00000\.tar\): .*{words}"
    with pytest.raises(RecordError, match=named):
        dataset[place]
    with pytest.raises(RecordError, match=named):
        dataset.loader(str(root / path))
    with pytest.raises(RecordError, match=named):
        dataset.__getitems__([place])
    for engine in ("native", "torch"):
        loader = fastload.DataLoader(dataset, 4, sampler=[place], engine=engine)
        with pytest.raises(RecordError, match=named):
            list(loader)
        loader = fastload.DataLoader(dataset, 25, engine=engine, on_error="skip")
        assert [len(labels) for _, labels in loader] == [len(dataset) - 1]


def test_every_command_names_the_record(damaged: tuple[Path, str], tmp_path: Path) -> None:
    root, words = damaged
    path = open_pack(root).index.path(DAMAGED)
    found = run("verify", "--decode", root).stdout
    # Where the length has changed the tar header says so first.
    assert f"shards/00000.tar: record 5 ({path}): cannot be decoded ({words}" in found or (
        f"record 5 ({path}): its tar header is damaged" in found
    )
    for command in (["unpack", root], ["recode", root, "--codec", "jpeg"]):
        result = run(*command)
        assert result.exit_code == 1
        assert f"record 5 ({path}, shards/00000.tar at byte" in result.stderr
        assert words in result.stderr
        assert "restore the shard from a copy" in result.stderr
    assert not (tmp_path / "damaged.pack.unpacked").exists()
    assert not (tmp_path / "damaged.jpeg.pack" / "pack.json").exists()


def test_a_record_that_is_not_spelt_as_others_is_not_recoded(sound: Path, tmp_path: Path) -> None:
    """It says something where nothing is to be said, which a JPEG cannot keep."""
    root = tmp_path / "odd.pack"
    shutil.copytree(sound, root)
    rewrite_payload(root, DAMAGED, put(7, b"\1")(bytes(open_pack(sound).payload(DAMAGED))))
    assert run("verify", "--decode", root).stdout.count("record 5") == 0
    with pytest.raises(PackError, match=r"record 5 .* the JPEG made of it has another record"):
        recode_pack(open_pack(root), tmp_path / "new.pack", "jpeg", workers=1)
