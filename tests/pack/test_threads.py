"""Many threads at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import fastload
from fastload.pack import folder
from fastload.pack.flow import Report
from tests.pack.test_pack import small_folder


def test_pillow_is_ready_before_threads_ask_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked by two threads while it loads its plugins, Pillow may call a good file unknown."""
    events: list[str] = []
    init, encode_file = Image.init, folder.encode_file

    def initialised() -> bool:
        events.append(f"init in {threading.current_thread().name}")
        return init()

    def encoded(*arguments: Any) -> Any:
        events.append("encode")
        return encode_file(*arguments)

    monkeypatch.setattr(Image, "init", initialised)
    monkeypatch.setattr(folder, "encode_file", encoded)
    fastload.pack(small_folder(tmp_path / "data"), workers=4)
    assert events == ["init in MainThread", *["encode"] * 12]


def test_one_thread_for_each_cpu_that_a_container_grants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    pack_folder = folder.pack_folder

    def packed(*arguments: Any, workers: int, **options: Any) -> Report:
        started.append(workers)
        return pack_folder(*arguments, workers=workers, **options)

    monkeypatch.setattr("fastload.cpus.usable_cpus", lambda: 3)
    monkeypatch.setattr(folder, "pack_folder", packed)
    fastload.pack(small_folder(tmp_path / "data"))
    assert started == [3]
