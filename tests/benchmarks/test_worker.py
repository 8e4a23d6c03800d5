from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from benchmarks import process, worker
from benchmarks.job import Job
from benchmarks.process import Worker, WorkerError
from fastload.measure import processor_time


def three_batches() -> Iterator[int]:
    for _ in range(3):
        time.sleep(0.01)
        yield 4


def test_a_window_is_timed_to_its_last_batch() -> None:
    took = worker.timed(three_batches, None)
    assert took["images"] == 12
    assert 0.01 <= took["first_batch"] <= took["seconds"] - 0.02


def test_a_window_can_end_early() -> None:
    took = worker.timed(three_batches, 1)
    assert took["images"] == 4
    assert took["seconds"] == took["first_batch"]


def test_a_window_can_count_its_own_seconds() -> None:
    def window() -> Generator[int, None, float]:
        yield from three_batches()
        return 7.5

    assert worker.timed(window, None)["seconds"] == 7.5
    assert worker.timed(window, 2)["seconds"] < 1


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    adapter: Any = ModuleType("planted")
    adapter.VERSION = "planted 1"
    adapter.load = lambda _job: three_batches
    monkeypatch.setitem(sys.modules, "benchmarks.peers.planted", adapter)
    return adapter


def test_an_import_a_construction_and_a_window_are_told_one_by_one(planted: Any) -> None:
    constructed: list[Job] = []

    def load(job: Job) -> worker.Window:
        constructed.append(job)
        return three_batches

    planted.load = load
    replies = worker.serve(Job("planted", "load"), ["{}", '{"batches": 2}'])
    imported = next(replies)
    assert imported["version"] == "planted 1"
    assert imported["base"]["pss"] > 0
    assert not constructed
    ready, window = replies
    assert ready["construction"] >= 0
    assert 0 < ready["cpu_before"] <= processor_time.of_tree(os.getpid())
    assert window["images"] == 8


def test_one_that_is_not_wanted_any_more_constructs_nothing(planted: ModuleType) -> None:
    assert len(list(worker.serve(Job("planted", "load"), []))) == 1


def test_a_packer_finds_the_place_empty_each_time(planted: Any, tmp_path: Path) -> None:
    packed = tmp_path / "packed"

    def pack(_job: Job) -> worker.Window:
        def window() -> Iterator[int]:
            packed.mkdir()
            (packed / "shard").write_bytes(b"1")
            yield 1

        return window

    planted.pack = pack
    job = Job("planted", "pack", packed=str(packed))
    *_, second = worker.serve(job, ["{}", *['{"batches": null}'] * 2])
    assert second["images"] == 1


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    target = tmp_path / "crops.npz"
    np.savez(target, np.zeros((300, 200, 3), np.uint8), np.zeros((80, 90, 3), np.uint8))
    return target


def test_a_real_process_serves_windows_until_it_is_closed(crops: Path) -> None:
    peer = Worker(Job("pillow", "resize", crops=str(crops), passes=3))
    peer.await_import()
    assert peer.imported["version"].startswith("Pillow ")
    peer.construct()
    assert [peer.run()["images"] for _ in range(2)] == [6, 6]
    assert peer.run(1)["images"] == 2
    peer.close()
    assert not Path(f"/proc/{peer.pid}").exists()


def test_an_adapters_exception_reaches_the_runner(tmp_path: Path) -> None:
    peer = Worker(Job("pillow", "resize", crops=str(tmp_path / "absent.npz")))
    peer.await_import()
    with pytest.raises(WorkerError, match=r"FileNotFoundError: .*absent\.npz"):
        peer.construct()


def planted_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str) -> Job:
    """A job whose interpreter runs ``source`` in the adapter's place."""
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\n{source}\n")
    script.chmod(0o755)
    monkeypatch.setattr(process, "python_of", lambda _peer: str(script))
    return Job("planted", "load")


def test_a_crash_is_told_by_its_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    job = planted_process(monkeypatch, tmp_path, "import os; os.abort()")
    with pytest.raises(WorkerError, match="ended with code -6"):
        Worker(job).await_import()


def test_a_silent_process_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(process, "FAREWELL_SECONDS", 0.2)
    job = planted_process(monkeypatch, tmp_path, "import time; time.sleep(60)")
    with pytest.raises(WorkerError, match=r"no answer for 0\.2 s"):
        Worker(job).await_import()


def test_a_threads_exception_ends_the_wait_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = """
import queue, sys, threading, types
from benchmarks import worker

def load(job):
    threading.Thread(target=lambda: 1 // 0).start()
    queue.Queue().get()

sys.modules["benchmarks.peers.planted"] = types.SimpleNamespace(VERSION="1", load=load)
sys.argv = sys.argv[-2:]
worker.main()
"""
    monkeypatch.setenv("PYTHONPATH", str(process.ROOT))
    job = planted_process(monkeypatch, tmp_path, source)
    peer = Worker(job)
    peer.await_import()
    with pytest.raises(WorkerError, match="ZeroDivisionError"):
        peer.construct()
