"""An export that does not come to its end leaves nothing, and what was there stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastload.store import Codec, open_pack
from tests.cli.conftest import run
from tests.pack.test_pack import tree
from tests.packaging.conftest import ROOT
from tests.store.damage import flip

TARGETS = {"ffcv": "a.beton", "imagefolder": "a", "webdataset": "a", "parquet": "a"}
everywhere = pytest.mark.parametrize(
    ("target", "name"), [*TARGETS.items(), ("parquet", "a.parquet")]
)
# Files of that many bytes at most: the system's answer is that of a full disk, for one process.
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
from fastload.cli import main
main(sys.argv[1:])
"""


@everywhere
def test_damaged_records_are_named(copy: Path, tmp_path: Path, target: str, name: str) -> None:
    flip(copy, int(open_pack(copy).index.offset[6]) + 9)
    before = tree(tmp_path)
    result = run("export", copy, "--to", target, tmp_path / name)
    assert result.exit_code == 1
    assert "record 6 (" in result.stderr
    assert tree(tmp_path) == before


@everywhere
@pytest.mark.parametrize("codec", [Codec.QOI, Codec.FILE, Codec.DCT])
def test_records_that_do_not_decode_are_named(
    copy: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    name: str,
    codec: Codec,
) -> None:
    """A checksum may be right of bytes that are wrong: another program wrote the pack."""
    opened = open_pack(copy)
    monkeypatch.setattr("fastload.cli.export.open_pack", lambda _: opened)
    opened.index.codec = np.full_like(opened.index.codec, codec)
    monkeypatch.setattr(type(opened), "sound_payload", lambda _pack, _record: memoryview(b"none"))
    before = tree(tmp_path)
    result = run("export", copy, "--to", target, tmp_path / name)
    assert result.exit_code == 1
    assert "record 0 (" in result.stderr
    assert "is damaged" in result.stderr
    assert tree(tmp_path) == before


@everywhere
def test_a_full_disk(small_pack: Path, tmp_path: Path, target: str, name: str) -> None:
    command = [sys.executable, "-c", LIMITED, "export", small_pack, "--to", target, tmp_path / name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"The disk that holds {tmp_path / name} is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@everywhere
def test_ctrl_c(
    small_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, name: str
) -> None:
    def interrupted(_: object, done: int, *others: int) -> str:
        if done:
            raise KeyboardInterrupt
        return ""

    monkeypatch.setattr(
        "fastload.cli.watching._Rate.words", lambda _, *numbers: interrupted(*numbers)
    )
    result = run("export", small_pack, "--to", target, tmp_path / name)
    assert result.exit_code == 130
    assert "Nothing is left" in result.stderr
    assert list(tmp_path.iterdir()) == []


@everywhere
def test_what_is_there_stays(small_pack: Path, tmp_path: Path, target: str, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine").write_text("mine")
    result = run("export", small_pack, "--to", target, tmp_path / name)
    assert result.exit_code == 1
    assert "is there already" in result.stderr or "is not empty" in result.stderr
    (tmp_path / "file").write_text("mine")
    result = run("export", small_pack, "--to", target, tmp_path / "file")
    assert result.exit_code == 1
    assert "is there already" in result.stderr or "is a file" in result.stderr
    assert tree(tmp_path) == {f"{name}/mine": b"mine", "file": b"mine"}


@everywhere
def test_what_a_killed_run_left_is_named(
    small_pack: Path, tmp_path: Path, target: str, name: str
) -> None:
    (tmp_path / f"{name}.tmp").write_text("half")
    result = run("export", small_pack, "--to", target, tmp_path / name)
    assert result.exit_code == 1
    assert f"{name}.tmp is in the way: remove it" in result.stderr
    assert tree(tmp_path) == {f"{name}.tmp": b"half"}


@everywhere
def test_where_nothing_can_be_written(
    small_pack: Path, tmp_path: Path, target: str, name: str
) -> None:
    (tmp_path / "file").write_text("mine")
    result = run("export", small_pack, "--to", target, tmp_path / "file" / name)
    assert result.exit_code == 1
    assert "cannot be written (Not a directory)" in result.stderr
    assert tree(tmp_path) == {"file": b"mine"}


@everywhere
def test_nothing_is_written_into_the_pack(copy: Path, target: str, name: str) -> None:
    before = tree(copy)
    result = run("export", copy, "--to", target, copy / "shards" / name)
    assert result.exit_code == 1
    assert "lies inside the pack" in result.stderr
    assert tree(copy) == before
