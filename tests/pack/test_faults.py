"""Killed, or out of disk, at every single change of a file: the same bytes after another run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastload
from tests.pack.faulty_packing import DISK_FULL
from tests.pack.test_pack import small_folder, tree

REPOSITORY = Path(__file__).parents[2]
SHARD_SIZE = 12_000
# A hundred packings sync a thousand times: memory does it at once.
MEMORY = Path("/dev/shm")


@pytest.fixture
def attempts() -> Iterator[Path]:
    """A folder for many packs."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


def faulty_packing(kind: str, source: Path, folder: Path) -> list[dict]:
    command = [sys.executable, "-m", "tests.pack.faulty_packing", kind, source, folder]
    done = subprocess.run(
        [*command, str(SHARD_SIZE)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("interrupted") / "data", bad=2)


@pytest.fixture(scope="module")
def undisturbed(source: Path) -> Path:
    report = fastload.pack(source, shard_size=SHARD_SIZE)
    assert len(report.manifest.shards) >= 3
    return report.path


def test_killed_at_every_change_of_a_file(source: Path, undisturbed: Path, attempts: Path) -> None:
    outcomes = faulty_packing("kill", source, attempts)
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
        assert tree(attempts / f"{outcome['at']:03d}.pack") == wanted, outcome


def test_disk_full_at_every_change_of_a_file(
    source: Path, undisturbed: Path, attempts: Path
) -> None:
    outcomes = faulty_packing("full", source, attempts)
    assert len(outcomes) > 40
    wanted = tree(undisturbed)
    for outcome in outcomes:
        assert outcome["code"] == DISK_FULL, outcome
        assert outcome["again"] == 0, outcome
        assert tree(attempts / f"{outcome['at']:03d}.pack") == wanted, outcome
