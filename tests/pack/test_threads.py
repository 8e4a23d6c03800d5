"""Many threads at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import fastload
from fastload.pack.flow import encode_file
from tests.pack.test_pack import small_folder


def test_pillow_is_ready_before_threads_ask_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked by two threads while it loads its plugins, Pillow may call a good file unknown."""
    events: list[str] = []
    init = Image.init

    def initialised() -> bool:
        events.append(f"init in {threading.current_thread().name}")
        return init()

    def encoded(*arguments: Any) -> Any:
        events.append("encode")
        return encode_file(*arguments)

    monkeypatch.setattr(Image, "init", initialised)
    monkeypatch.setattr("fastload.pack.flow.encode_file", encoded)
    fastload.pack(small_folder(tmp_path / "data"), workers=4)
    assert events == ["init in MainThread", *["encode"] * 12]
