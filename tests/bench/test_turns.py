"""An entrant's process: what it answers, and how it fails."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fastload.bench.entrant import Entrant
from fastload.bench.turns import EntrantError, Turns
from fastload.presets import preset


@pytest.fixture
def ours(small_pack: Path) -> Entrant:
    return Entrant(
        label="fastload cached",
        peer="fastload_cached",
        title="fastload",
        form="its pack",
        path=str(small_pack),
        batch=4,
        samples=400,
        arguments={"num_workers": 2, "cache": "10MB"},
        fills=True,
    )


def broken() -> Any:
    raise RuntimeError("this transform is broken")


def killed() -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def test_windows(ours: Entrant) -> None:
    with Turns(ours, partial(preset, "train")) as turns:
        ready = turns.prepare(0.05)
        window = turns.window(0.1)
    assert 0 < ready.first_batch < 30
    assert window.images > 0 and window.images % 4 == 0
    assert 0.1 <= window.seconds < 10 and window.cpu_seconds > 0
    # All JPEG images; PNG pictures among them, too.
    assert window.hits > 0.9
    assert turns.peak.pss >= turns.peak.anonymous > 0


def test_what_is_wrong_is_said(ours: Entrant) -> None:
    with Turns(ours, broken) as turns, pytest.raises(EntrantError, match="transform is broken"):
        turns.prepare(0.05)
    missing = replace(ours, path="nowhere")
    with (
        Turns(missing, partial(preset, "train")) as turns,
        pytest.raises(EntrantError, match="now"),
    ):
        turns.prepare(0.05)


def test_a_process_that_dies_is_no_riddle(ours: Entrant) -> None:
    with Turns(ours, killed) as turns, pytest.raises(EntrantError, match="code -9"):
        turns.prepare(0.05)
