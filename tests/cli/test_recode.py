"""``fastload recode`` as a user types it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import fastload
from fastload.pack.recode import recode_pack
from fastload.store import open_pack
from tests.cli.conftest import run
from tests.pack.image_files import photo, saved
from tests.pack.test_pack import tree
from tests.store.damage import flip

REPOSITORY = Path(__file__).parents[2]


def test_recode_goes_there_and_back(copy: Path) -> None:
    result = run("recode", copy, "--codec", "dct")
    assert result.exit_code == 0, result.output
    dct = copy.with_name("copy.dct.pack")
    assert result.stdout.startswith(f"{dct}\n")
    rows = dict(
        tuple(cell.strip() for cell in line.strip("│").split("│"))
        for line in result.stdout.splitlines()
        if line.startswith("│")
    )
    assert int(rows["codec dct"]) + int(rows["codec qoi"]) == 22
    assert set(rows) >= {"bytes in", "bytes out", "time", "speed"}
    assert "recoding: 22 of 22 images" in result.stderr
    again = run("recode", copy, "--codec", "dct")
    assert (again.exit_code, "already recoded: nothing to do" in again.stdout) == (0, True)
    back = run("recode", dct, "--codec", "jpeg", "-o", copy.with_name("back"), "--workers", 1)
    assert back.exit_code == 0, back.output
    assert tree(copy.with_name("back")) == tree(copy)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], 2, "Missing option '--codec'"),
        (["--codec", "qoi"], 2, "'qoi' is not one of 'jpeg', 'dct'"),
        (["--codec", "dct", "--workers", "0"], 2, "--workers"),
        (["--codec", "jpeg"], 1, "is of codec jpeg already"),
        (["--codec", "dct", "-o", "{copy}/inside"], 1, "lies inside the pack that is recoded"),
        (["--codec", "dct", "-o", "{copy}/pack.json"], 1, "lies inside"),
    ],
)
def test_recode_refuses(copy: Path, options: list[str], code: int, words: str) -> None:
    before = tree(copy)
    result = run("recode", copy, *(option.format(copy=copy) for option in options))
    assert (result.exit_code, words in result.stderr) == (code, True), result.output
    assert "Traceback" not in result.output
    assert tree(copy) == before


def test_recode_names_a_damaged_record(copy: Path) -> None:
    flip(copy, int(open_pack(copy).index.offset[6]) + 9)
    result = run("recode", copy, "--codec", "dct")
    assert result.exit_code == 1
    assert f"record 6 ({open_pack(copy).index.path(6)}, shards/00000.tar at byte" in result.stderr
    assert "Traceback" not in result.output


@pytest.fixture(scope="module")
def dct(small_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("dct") / "dct.pack"
    return recode_pack(open_pack(small_pack), root, "dct", workers=2).path


def test_unpack_gives_the_jpegs_of_the_records(small_pack: Path, dct: Path, tmp_path: Path) -> None:
    for pack, folder in ((small_pack, "before"), (dct, "after")):
        result = run("unpack", pack, "-o", tmp_path / folder)
        assert result.exit_code == 0, result.output
    assert tree(tmp_path / "after") == tree(tmp_path / "before")


def test_verify_reads_the_records(dct: Path) -> None:
    result = run("verify", "--decode", dct)
    assert result.exit_code == 0, result.output
    assert "each of the 22 records decodes" in result.stdout


def test_info_counts_the_records(small_pack: Path, dct: Path) -> None:
    shown, before = run("info", dct).stdout, run("info", small_pack).stdout
    assert "codec dct" in shown and "codec jpeg" not in shown
    assert [line for line in shown.splitlines() if "codec qoi" in line] == [
        line for line in before.splitlines() if "codec qoi" in line
    ]
    assert '"required_features": [\n    "dct"\n  ]' in run("info", dct, "--json").stdout


@pytest.mark.usefixtures("heard_ctrl_c")
def test_interrupted_by_the_user(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    file = saved(photo(160, 160), "JPEG")
    for number in range(500):
        (tmp_path / "data" / "a" / f"{number}.jpg").write_bytes(file)
    pack = fastload.pack(tmp_path / "data", shard_size="100kB").path
    command = [sys.executable, "-m", "fastload.cli", "recode", pack, "--codec", "dct"]
    recoding = subprocess.Popen(
        [*command, "--workers", "1"], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
    )
    assert recoding.stderr is not None
    # The first line comes with the first records.
    shown = recoding.stderr.readline()
    recoding.send_signal(signal.SIGINT)
    shown += recoding.stderr.read()
    assert recoding.wait() == 130, shown
    assert "Run the same command again" in shown
    assert "Traceback" not in shown
    assert (tmp_path / "data.dct.pack" / ".progress").is_dir()
    result = run("recode", pack, "--codec", "dct")
    assert result.exit_code == 0, result.output
    wanted = fastload.pack(tmp_path / "data", tmp_path / "x", codec="dct", shard_size="100kB").path
    assert tree(tmp_path / "data.dct.pack") == tree(wanted)
