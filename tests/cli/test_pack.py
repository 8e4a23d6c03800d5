"""``fastload pack`` as a user types it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import run
from tests.pack.image_files import photo, saved
from tests.pack.test_pack import small_folder

REPOSITORY = Path(__file__).parents[2]


def test_pack_prints_a_closing_table(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data", bad=12)
    result = run("pack", root, "-o", tmp_path / "out", "--workers", 1)
    assert result.exit_code == 0, result.output
    rows = dict(
        tuple(cell.strip() for cell in line.strip("│").split("│"))
        for line in result.stdout.splitlines()
        if line.startswith("│")
    )
    assert (rows["classes"], rows["images"], rows["rejected"]) == ("2", "12", "12")
    assert set(rows) >= {"bytes in", "bytes out", "time"}
    assert result.stdout.count("cannot identify image file") == 10
    assert "and 2 more" in result.stdout
    assert "packing: 24 of 24 images" in result.stderr
    again = run("pack", root, "-o", tmp_path / "out")
    assert again.exit_code == 0
    assert "already packed" in again.stdout


def test_pack_prints_a_long_path_in_one_line(tmp_path: Path) -> None:
    long = tmp_path / ("long" * 20) / ("name" * 20)
    assert run("pack", small_folder(tmp_path / "data"), "-o", long).stdout.startswith(f"{long}\n")
    assert run("info", long).stdout.startswith(f"{long}\n")


def test_pack_hands_over_every_option(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data")
    (root / "c").mkdir()
    options = ["--max-side", "30", "--quality", "80", "--shard-size", "16kB", "--no-cls"]
    options += ["--codec", "dct"]
    result = run("pack", root, *options, "--seed", "5", "--allow-empty")
    assert result.exit_code == 0, result.output
    manifest = json.loads((tmp_path / "data.pack" / "pack.json").read_text())
    assert manifest["options"] == {
        "codec": "dct",
        "max_side": 30,
        "quality": 80,
        "verbatim": False,
        "shard_size": 16_000,
        "cls": False,
        "seed": 5,
    }
    assert "PSNR, worst" in result.stdout


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--quality", "0"], 2, "--quality is 0"),
        (["--verbatim", "--max-side", "10"], 2, "--verbatim keeps"),
        (["--verbatim", "--codec", "dct"], 2, "--verbatim keeps"),
        (["--codec", "qoi"], 2, "'qoi' is not one of 'jpeg', 'dct'"),
        (["--workers", "0"], 2, "--workers is 0"),
        (["--shard-size", "huge"], 2, "--shard-size is 'huge'"),
        (["--strict"], 1, "bad0.png: cannot identify image file"),
    ],
)
def test_pack_refuses(tmp_path: Path, options: list[str], code: int, words: str) -> None:
    result = run("pack", small_folder(tmp_path / "data", bad=1), *options)
    assert (result.exit_code, words in result.stderr) == (code, True), result.output
    assert "Traceback" not in result.output


def test_pack_tells_of_a_missing_folder_and_an_empty_class(tmp_path: Path) -> None:
    assert "there is no such folder" in run("pack", tmp_path / "nowhere").stderr
    (tmp_path / "data" / "a").mkdir(parents=True)
    result = run("pack", tmp_path / "data")
    assert result.exit_code == 1
    assert "Found no valid file for the classes a." in result.stderr


def test_pack_shows_a_bar_on_a_terminal(tmp_path: Path) -> None:
    small_folder(tmp_path / "data")
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "fastload.cli", "pack", tmp_path / "data"]
    done = subprocess.run(
        command, cwd=REPOSITORY, stderr=terminal, stdout=subprocess.PIPE, check=False
    )
    os.close(terminal)
    shown = b""
    while part := _read(screen):
        shown += part
    assert done.returncode == 0
    assert b"packing" in shown
    assert b"\x1b[" in shown
    assert "classes" in done.stdout.decode()


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 65536)
    except OSError:
        return b""


@pytest.mark.usefixtures("heard_ctrl_c")
def test_interrupted_by_the_user(tmp_path: Path) -> None:
    for number in range(300):
        path = tmp_path / "data" / "a" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(saved(photo(160, 160, number % 7), "JPEG"))
    command = [sys.executable, "-m", "fastload.cli", "pack", tmp_path / "data", "--workers", "1"]
    packing = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
    assert packing.stderr is not None
    # The first line comes with the first files.
    shown = packing.stderr.readline()
    packing.send_signal(signal.SIGINT)
    shown += packing.stderr.read()
    assert packing.wait() == 130, shown
    assert "Run the same command again" in shown
    assert "Traceback" not in shown
    assert (tmp_path / "data.pack" / ".progress").is_dir()
    assert not list((tmp_path / "data.pack" / "shards").glob("*.tmp"))


def test_names_that_cannot_be_printed_are_escaped(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data")
    (root / "new\nline [red]").mkdir()
    (root / "new\nline [red]" / "x.jpg").write_bytes(saved(photo(), "JPEG"))
    (root / "new\nline [red]" / "bad\udcff.jpg").write_bytes(b"")
    packed = run("pack", root)
    assert "rejected new\\nline [red]/bad\ufffd.jpg: the file is empty" in packed.stdout
    assert "new\\nline [red]" in run("info", tmp_path / "data.pack").stdout
