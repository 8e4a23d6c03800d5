from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from benchmarks import page_cache
from benchmarks.page_cache import StillCachedError, drop, resident

SIZE = 64 * mmap.PAGESIZE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files that have just been written, one of them below a folder, and an empty one."""
    (tmp_path / "below").mkdir()
    for name in ("one", "below/two"):
        (tmp_path / name).write_bytes(b"x" * SIZE)
    (tmp_path / "empty").touch()
    return tmp_path


def on_a_disk(folder: Path) -> bool:
    """Whether the system can forget the files at all; not so on a file system in memory."""
    try:
        drop(folder)
    except StillCachedError:
        return False
    return True


def test_pages_are_forgotten_and_come_back_when_read(folder: Path) -> None:
    assert resident(folder) == 2 * SIZE
    if not on_a_disk(folder):
        pytest.skip("the temporary folder is on a file system in memory")
    assert resident(folder) == 0
    (folder / "one").read_bytes()
    assert resident(folder / "one") == resident(folder) == SIZE


def test_pages_that_stay_are_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_cache.os, "posix_fadvise", lambda *_: None)
    with pytest.raises(StillCachedError, match=r"0\.5 of 0\.5 MB of .* stayed"):
        drop(folder)
