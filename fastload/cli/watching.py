"""How far a long command is: a live bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from fastload.words import bytes_words, duration_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["watching"]

# Seconds between two plain lines: a log of an hour's packing stays readable.
_BETWEEN_LINES = 10.0


class _Rate:
    """Speed and remaining time, by what was done since the first report."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._start: tuple[float, int, int] | None = None

    def words(self, done: int, total: int, done_bytes: int, total_bytes: int) -> str:
        now = time.monotonic()
        if self._start is None:
            self._start = (now, done, done_bytes)
        began, first, first_bytes = self._start
        seconds = max(now - began, 1e-9)
        speed, byte_speed = (done - first) / seconds, (done_bytes - first_bytes) / seconds
        if speed <= 0:
            return f"{done:,} of {total:,} {self._unit}"
        words = f"{done:,} of {total:,} {self._unit}, {speed:,.0f} {self._unit}/s"
        if total_bytes:
            words += f", {bytes_words(byte_speed)}/s"
        if done == total:
            return words
        left = (total_bytes - done_bytes) / byte_speed if byte_speed else (total - done) / speed
        return f"{words}, {duration_words(left)} left"


@contextlib.contextmanager
def watching(verb: str, unit: str = "images") -> Iterator[Callable[[int, int, int, int], None]]:
    """Yields a function to call with how far it is: done, total, bytes done, bytes in all (or 0).

    Args:
        verb: what is going on, ``"packing"``.
        unit: of what is counted.
    """
    console = Console(stderr=True)
    rate = _Rate(unit)
    if not console.is_terminal:
        yield _lines(verb, rate)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(verb, total=None, words="")

        def show(done: int, total: int, done_bytes: int, total_bytes: int) -> None:
            words = rate.words(done, total, done_bytes, total_bytes)
            bar.update(task, completed=done, total=total, words=words)

        yield show


def _lines(verb: str, rate: _Rate) -> Callable[[int, int, int, int], None]:
    last = 0.0
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)

    def show(done: int, total: int, done_bytes: int, total_bytes: int) -> None:
        nonlocal last
        words = rate.words(done, total, done_bytes, total_bytes)
        if done == total or time.monotonic() - last >= _BETWEEN_LINES:
            last = time.monotonic()
            console.print(f"{verb}: {words}")

    return show
