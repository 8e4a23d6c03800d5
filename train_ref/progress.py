"""What the user sees of a long run: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from train_ref.distributed import is_first

if TYPE_CHECKING:
    from typing import Any

__all__ = ["Bar", "bar", "packing", "say"]

# Seconds between two plain lines: a log of a day's training stays readable.
_BETWEEN_LINES = 10.0


def say(text: str) -> None:
    """Print a line for the user, once for all processes of a training."""
    if is_first():
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(text)


class Bar:
    """How far something is: how many steps of how many, and words on it.

    Args:
        doing: what goes on, such as "epoch 3/30".
        total: steps in all.
    """

    def __init__(self, doing: str, total: int) -> None:
        self._doing = doing
        self._total = total
        self._shown = time.monotonic()

    def update(self, done: int, words: str) -> None:
        """Show how far it is, where that was last shown long ago."""
        now = time.monotonic()
        if now - self._shown >= _BETWEEN_LINES:
            self._shown = now
            say(f"{self._doing}: {done}/{self._total}, {words}")


class _LiveBar(Bar):
    def __init__(self, doing: str, total: int, progress: Progress) -> None:
        super().__init__(doing, total)
        self._progress = progress
        self._task = progress.add_task(doing, total=total or None, words="")

    def update(self, done: int, words: str) -> None:
        self._progress.update(self._task, completed=done, words=words)


@contextlib.contextmanager
def bar(doing: str, total: int) -> Iterator[Bar]:
    """Show how far something is for as long as it lasts; the first process alone does.

    Args:
        doing: what goes on.
        total: steps in all.
    """
    console = Console(stderr=True)
    if not (console.is_terminal and is_first()):
        yield Bar(doing, total)
        return
    columns: tuple[Any, ...] = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.fields[words]}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _LiveBar(doing, total, progress)


@contextlib.contextmanager
def packing(folder: Path) -> Iterator[Callable[[Any], None]]:
    """Show how far the packing of a label folder is.

    Yields:
        What fastload.pack is to call with how far it is.
    """
    made: list[Bar] = []
    with contextlib.ExitStack() as stack:

        def report(now: Any) -> None:
            if not made:
                say(f"{folder} is a label folder: it is packed first, next to it.")
                made.append(stack.enter_context(bar("packing", now.files_in_all)))
            made[0].update(now.files, f"{now.bytes / 1e6:,.0f} MB")

        yield report
