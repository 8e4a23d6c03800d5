"""Interrupted or out of disk, and run again: the very bytes of an undisturbed run."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastload
from fastload.errors import PackError
from fastload.pack.journal import Journal
from fastload.pack.recode import recode_pack
from fastload.store import durable, open_pack
from tests.pack.faulty_packing import SHARD_SIZE, write
from tests.pack.image_files import photo, saved
from tests.pack.test_pack import small_folder, tree

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("interrupted") / "data", bad=2)


@pytest.fixture(scope="module")
def packed(folder: Path) -> Path:
    return fastload.pack(folder, shard_size=SHARD_SIZE).path


@pytest.fixture(scope="module", params=["pack", "recode"])
def command(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def source(command: str, folder: Path, packed: Path) -> Path:
    """What the command makes a pack of."""
    return folder if command == "pack" else packed


@pytest.fixture(scope="module")
def undisturbed(command: str, source: Path) -> Path:
    report = write(command, source, source.with_name(f"undisturbed.{command}"))
    assert len(report.manifest.shards) >= 3
    return report.path


@pytest.mark.parametrize("command", ["pack", "recode"], indirect=True)
@pytest.mark.parametrize("seed", range(3))
def test_killed_by_the_clock(tmp_path: Path, command: str, seed: int) -> None:
    """The real command, killed again and again after random times, gets to the end."""
    draw = random.Random(seed)
    for number in range(120):
        path = tmp_path / "data" / "abc"[number % 3] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(saved(photo(120, 140, number), "JPEG", quality=95))
    wanted = fastload.pack(tmp_path / "data", tmp_path / "undisturbed", shard_size="100kB").path
    arguments = [tmp_path / "data", "--shard-size", "100kB"]
    if command == "recode":
        arguments = [wanted, "--codec", "dct"]
        wanted = recode_pack(open_pack(wanted), tmp_path / "recoded", "dct", workers=1).path
    target = tmp_path / "data.pack"
    program = [sys.executable, "-m", "fastload.cli", command, *arguments]
    kills = 0
    while True:
        writing = subprocess.Popen(
            [*program, "-o", target, "--workers", "2"],
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if kills < 4:
            # What comes before the first file changes is of no interest here.
            begun = time.monotonic()
            while not target.exists() and time.monotonic() - begun < 20:
                time.sleep(0.01)
            time.sleep(draw.uniform(0, 0.25))
            writing.kill()
            kills += 1
            writing.wait()
        else:
            assert writing.wait() == 0
            break
    assert tree(target) == tree(wanted)


def interrupt(command: str, source: Path, target: Path) -> None:
    """Leaves a half-written pack whose shards are all finished."""
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr("fastload.pack.folder.commit", _interrupted)
        patch.setattr("fastload.pack.recode.commit", _interrupted)
        write(command, source, target)
    assert len(list((target / ".progress").glob("*.arrow"))) >= 3


def _interrupted(*arguments: object, **options: object) -> None:
    raise KeyboardInterrupt


def test_only_what_is_left_is_done(
    command: str, source: Path, undisturbed: Path, tmp_path: Path
) -> None:
    target = tmp_path / "data.pack"
    interrupt(command, source, target)
    # Without its record the last shard does not count.
    max((target / ".progress").glob("*.arrow")).unlink()
    report = write(command, source, target)
    assert 0 < report.files_now < report.manifest.records
    assert report.manifest.source.rejected == 2
    assert tree(target) == tree(undisturbed)


def test_a_finished_shard_that_was_cut_is_written_again(
    command: str, source: Path, undisturbed: Path, tmp_path: Path
) -> None:
    target = tmp_path / "data.pack"
    interrupt(command, source, target)
    os.truncate(target / "shards" / "00001.tar", 1000)
    write(command, source, target)
    assert tree(target) == tree(undisturbed)


def test_a_half_written_pack_of_other_options_is_refused(
    folder: Path, packed: Path, tmp_path: Path
) -> None:
    target = tmp_path / "data.pack"
    interrupt("pack", folder, target)
    before = tree(target)
    with pytest.raises(PackError, match=r"half written .*seed was 0, now 1"):
        fastload.pack(folder, target, shard_size=SHARD_SIZE, seed=1)
    with pytest.raises(PackError, match=r"half written .*shard_size was 12000, now 256000000"):
        fastload.pack(folder, target)
    with pytest.raises(PackError, match=r"half written .*\(command was 'pack', now 'recode'\)"):
        write("recode", packed, target)
    assert tree(target) == before


def test_a_half_recoded_pack_of_another_pack_is_refused(packed: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.pack"
    interrupt("recode", packed, target)
    before = tree(target)
    shutil.copytree(packed, tmp_path / "other.pack")
    (tmp_path / "other.pack" / "rejected.csv").write_text("path,reason\n")
    with pytest.raises(PackError, match="the pack that is recoded has changed"):
        write("recode", tmp_path / "other.pack", target)
    recoded = write("recode", packed, tmp_path / "recoded.pack").path
    with pytest.raises(PackError, match=r"half written .*codec was 'dct', now 'jpeg'"):
        recode_pack(open_pack(recoded), target, "jpeg", workers=1)
    assert tree(target) == before


def test_a_half_written_pack_of_a_changed_folder_is_refused(tmp_path: Path) -> None:
    source = small_folder(tmp_path / "data")
    interrupt("pack", source, tmp_path / "data.pack")
    os.utime(source / "a" / "00.jpg", ns=(1, 1))
    with pytest.raises(PackError, match="files of the label folder have changed"):
        fastload.pack(source, shard_size=SHARD_SIZE)


def test_a_damaged_journal_is_refused(command: str, source: Path, tmp_path: Path) -> None:
    target = tmp_path / "data.pack"
    interrupt(command, source, target)
    (target / ".progress" / "options.json").write_text("{")
    with pytest.raises(PackError, match=r"options\.json is damaged"):
        write(command, source, target)


def test_a_half_written_pack_is_no_pack(command: str, source: Path, tmp_path: Path) -> None:
    interrupt(command, source, tmp_path / "data.pack")
    with pytest.raises(PackError, match="half-written"):
        open_pack(tmp_path / "data.pack")


def test_two_writers_to_one_folder_exclude_each_other(
    command: str, source: Path, tmp_path: Path
) -> None:
    with (
        contextlib.closing(Journal(tmp_path / "data.pack")),
        pytest.raises(PackError, match="being written by another process"),
    ):
        write(command, source, tmp_path / "data.pack")
    assert write(command, source, tmp_path / "data.pack").manifest.records == 12


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 100 kB, outside the folders that pytest cleans up."""
    with tempfile.TemporaryDirectory() as name:
        mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", name]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("this user cannot mount a tmpfs")
        yield Path(name)
        subprocess.run(["umount", "--lazy", name], check=True)


def test_a_really_full_disk(
    command: str, source: Path, undisturbed: Path, small_disk: Path
) -> None:
    filling = small_disk / "filling"
    filling.write_bytes(bytes(90_000))
    with pytest.raises(PackError, match=r"is full .*Make room and run the same command again"):
        write(command, source, small_disk / "data.pack")
    assert not (small_disk / "data.pack" / "pack.json").exists()
    filling.unlink()
    write(command, source, small_disk / "data.pack")
    assert tree(small_disk / "data.pack") == tree(undisturbed)


def test_a_limit_on_the_size_of_files_is_told_as_a_full_disk(folder: Path, tmp_path: Path) -> None:
    limited = (
        "import resource, sys; from fastload.pack import pack;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "pack(sys.argv[1], sys.argv[2])"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, folder, tmp_path / "data.pack"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "is full (File too large)" in done.stderr
    assert not (tmp_path / "data.pack" / "pack.json").exists()


def test_a_file_is_synced_before_it_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = []
    fsync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        events.append(f"sync {Path(f'/proc/self/fd/{handle}').readlink().name}")
        fsync(handle)

    def renamed(path: Path, target: Path) -> Path:
        events.append(f"rename {path.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    durable.write_file(tmp_path / "x", b"data")
    assert events == ["sync x.tmp", "rename x.tmp", f"sync {tmp_path.name}"]
    assert (tmp_path / "x").read_bytes() == b"data"
