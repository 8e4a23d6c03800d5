"""Killed, or out of disk, at every single change of a file: the same bytes after another run."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import fastload
from tests.pack.faulty_packing import DISK_FULL, SHARD_SIZE, prepare, write
from tests.pack.test_pack import small_folder, tree

REPOSITORY = Path(__file__).parents[2]
# A hundred packings sync a thousand times: memory does it at once.
MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module", params=["pack", "recode", "append"])
def command(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def source(command: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_folder(tmp_path_factory.mktemp("interrupted") / "data", bad=2)
    if command == "append":
        divide(folder)
        fastload.pack(folder / "base", shard_size=SHARD_SIZE)
        return folder
    return folder if command == "pack" else fastload.pack(folder, shard_size=SHARD_SIZE).path


def divide(folder: Path) -> None:
    """A quarter of the images into ``base``, the rest into ``more``, with one of ``base``."""
    for number, path in enumerate(sorted(folder.glob("*/*"))):
        part = folder / ("base" if number % 4 == 1 else "more") / path.parent.name
        part.mkdir(parents=True, exist_ok=True)
        path.rename(part / path.name)
    first = min((folder / "base" / "a").iterdir())
    shutil.copy(first, folder / "more" / "b" / "copy.jpg")


@pytest.fixture(scope="module")
def undisturbed(command: str, source: Path) -> Path:
    target = source.with_name("undisturbed")
    prepare(command, source, target)
    report = write(command, source, target)
    assert len(report.manifest.shards) >= 3
    return report.path


@dataclass
class Attempts:
    """Packings that met a fault, with a folder of a pack for each."""

    folder: Path
    outcomes: list[dict]

    def pack(self, outcome: dict) -> Path:
        return self.folder / f"{outcome['at']:03d}.pack"


@pytest.fixture(scope="module")
def attempts(command: str, source: Path) -> Iterator[dict[str, Attempts]]:
    """By fault; both are tried at the same time, since each attempt waits for a process."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        running = {}
        for fault in ("kill", "full"):
            target = Path(folder, fault)
            target.mkdir()
            running[fault] = subprocess.Popen(
                [sys.executable, "-m", "tests.pack.faulty_packing", fault, command, source, target],
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                text=True,
            )
        printed = {fault: process.communicate()[0] for fault, process in running.items()}
        assert [process.returncode for process in running.values()] == [0, 0]
        yield {
            fault: Attempts(Path(folder, fault), json.loads(text))
            for fault, text in printed.items()
        }


def test_killed_at_every_change_of_a_file(undisturbed: Path, attempts: dict[str, Attempts]) -> None:
    killed = attempts["kill"]
    outcomes = killed.outcomes
    assert len(outcomes) > 40
    for outcome in outcomes:
        assert outcome["code"] == -signal.SIGKILL, outcome
        assert outcome["again"] == 0, outcome
        assert all(outcome["kept"]), outcome
    assert {len(outcome["kept"]) for outcome in outcomes} >= {0, 1, 2, 3}
    # Only the removal of the journal is left to do once pack.json is there.
    assert [outcome["whole"] for outcome in outcomes] == sorted(
        outcome["whole"] for outcome in outcomes
    )
    wanted = tree(undisturbed)
    for outcome in outcomes:
        assert tree(killed.pack(outcome)) == wanted, outcome


def test_disk_full_at_every_change_of_a_file(
    undisturbed: Path, attempts: dict[str, Attempts]
) -> None:
    full = attempts["full"]
    assert len(full.outcomes) > 40
    wanted = tree(undisturbed)
    for outcome in full.outcomes:
        assert outcome["code"] == DISK_FULL, outcome
        assert outcome["again"] == 0, outcome
        assert tree(full.pack(outcome)) == wanted, outcome
