"""The torch engine's threads run Python, so garbage collection may close things in them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from torchvision.transforms import v2

import fastload
from fastload.engines import torch as torch_engine


def test_closing_in_its_own_thread_does_not_wait_for_itself(
    small_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crop = v2.Compose([v2.CenterCrop(16), v2.PILToTensor()])
    dataset = fastload.ImageFolder(small_pack, crop)
    loader = fastload.DataLoader(dataset, 2, engine="torch", num_workers=2)
    started: list[Any] = []
    ready, closed, first = threading.Event(), threading.Event(), threading.Lock()
    render = torch_engine.render

    def render_and_close(*arguments: Any) -> None:
        if first.acquire(blocking=False):
            ready.wait(10)
            started[0].close()
            loader.close()
            closed.set()
        render(*arguments)

    monkeypatch.setattr(torch_engine, "render", render_and_close)
    started.append(iter(loader))
    ready.set()
    assert closed.wait(10)
    monkeypatch.undo()
    assert sum(len(labels) for _, labels in loader) == len(dataset)
