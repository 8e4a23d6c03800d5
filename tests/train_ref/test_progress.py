"""What is shown: a bar on a terminal, plain lines elsewhere, signals, TensorBoard or not."""

from __future__ import annotations

import builtins
import io
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from train_ref import progress, stopping
from train_ref.errors import StoppedError
from train_ref.events import Events
from train_ref.stopping import Stop, listening


def test_lines_come_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with progress.bar("epoch 1/2", 8) as shown:
        for step in range(1, 8):
            now[0] += 4
            shown.update(step, f"loss {step}")
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["epoch 1/2: 3/8, loss 3", "epoch 1/2: 6/8, loss 6"]


def test_a_terminal_has_a_bar_that_is_gone_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()

    def console(**_: Any) -> Console:
        return Console(file=screen, force_terminal=True, width=100)

    monkeypatch.setattr(progress, "Console", console)
    with progress.bar("epoch 1/2", 8) as shown:
        shown.update(3, "17 images/s, waiting 0.4%, [loss] 1.5")
    drawn = screen.getvalue()
    assert "3/8" in drawn and "17 images/s, waiting 0.4%, [loss] 1.5" in drawn
    assert drawn.endswith("\x1b[1A\x1b[2K") or "\x1b[2K" in drawn


def test_words_of_users_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    progress.say("[red]창틀,문틀수정[/red] " + "x" * 200)
    assert capsys.readouterr().err == "[red]창틀,문틀수정[/red] " + "x" * 200 + "\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_noted_and_handlers_put_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with listening() as stop:
        assert not stop.asked()
        os.kill(os.getpid(), number)
        assert stop.asked()
        error = stop.error(Path("runs/x"))
    assert isinstance(error, StoppedError) and error.number == number
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [50.0]
    monkeypatch.setattr(stopping.time, "monotonic", lambda: now[0])
    stop = Stop()
    stop.heard(signal.SIGINT)
    now[0] += 0.1
    stop.heard(signal.SIGTERM)  # the terminal's and torchrun's for the same Ctrl-C
    now[0] += 5
    with pytest.raises(KeyboardInterrupt):
        stop.heard(signal.SIGINT)


def test_without_tensorboard_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_import = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "torch.utils.tensorboard":
            raise ImportError(name)
        return plain_import(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    events = Events(tmp_path, 0)
    events.add(1, {"loss": 1.0})
    events.close()
    assert not list(tmp_path.iterdir())
