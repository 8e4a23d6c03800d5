"""Entrants in processes of their own, asked for one window after the other.

Between its windows an entrant stands still, but for the batches that it makes ahead: they are taken
before the clock starts.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from fastload.bench.entrant import Entrant
from fastload.measure import processor_time
from fastload.measure.memory import Memory, Watch, of_tree

__all__ = ["EntrantError", "Ready", "Turns", "Window"]

# Silent for this long, it hangs.
_PATIENCE_SECONDS = 600
_FAREWELL_SECONDS = 5
# Forked, it would have the memory and the threads of this process.
_SPAWN = multiprocessing.get_context("spawn")


class EntrantError(Exception):
    """An entrant's process failed or fell silent; the message says what it said last."""


@dataclass(frozen=True)
class Ready:
    """An entrant stands ready.

    Attributes:
        first_batch: seconds from before its loader's construction to its first batch.
    """

    first_batch: float


@dataclass(frozen=True)
class Window:
    """What one window took.

    Attributes:
        images: delivered while the clock ran.
        seconds: that the clock ran.
        cpu_seconds: of the process and its children meanwhile.
        hits: the part of the loader's images so far that its cache had, 0 to 1.
    """

    images: int
    seconds: float
    cpu_seconds: float
    hits: float


class Turns:
    """One entrant's process, from ``with`` to its end.

    Args:
        entrant: what is loaded.
        transform: makes the transform, in that process: it has to be pickled.

    Raises:
        EntrantError: the process failed.
    """

    def __init__(self, entrant: Entrant, transform: Callable[[], Any]) -> None:
        self.entrant = entrant
        self.peak = Memory()
        self._ours, theirs = _SPAWN.Pipe()
        # Spawned processes would otherwise spawn their loader's workers, which is not what a
        # training program does by default.
        method = multiprocessing.get_start_method()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, entrant, transform, method))
        self._process.start()
        theirs.close()

    def __enter__(self) -> Turns:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ours.close()
        self._process.join(_FAREWELL_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def prepare(self, seconds: float) -> Ready:
        """Make the loader, fill its cache, run a first window; memory is watched meanwhile."""
        base: Memory = self._answer()
        assert self._process.pid is not None
        with Watch(self._process.pid) as watch:
            self._ours.send(None)
            ready: Ready = self._answer()
            self.window(seconds)
        self.peak = watch.peak.beyond(base)
        return ready

    def window(self, seconds: float) -> Window:
        """One window of so many seconds."""
        self._ours.send(seconds)
        window: Window = self._answer()
        return window

    def _answer(self) -> Any:
        try:
            if not self._ours.poll(_PATIENCE_SECONDS):
                self._process.kill()
                raise EntrantError(f"no answer for {_PATIENCE_SECONDS} s")
            answer = self._ours.recv()
        except (EOFError, ConnectionResetError) as error:
            self._process.join(_FAREWELL_SECONDS)
            raise EntrantError(f"its process ended with code {self._process.exitcode}") from error
        if isinstance(answer, EntrantError):
            raise answer
        return answer


def _serve(
    pipe: Connection, entrant: Entrant, transform: Callable[[], Any], start_method: str
) -> None:
    """In the entrant's process: answer until nobody asks any more."""
    try:
        multiprocessing.set_start_method(start_method, force=True)
        _answer(pipe, entrant, transform)
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, the table must show it
        pipe.send(EntrantError(f"{type(error).__name__}: {error}"))


def _answer(pipe: Connection, entrant: Entrant, transform: Callable[[], Any]) -> None:
    import torchvision  # noqa: F401 - memory is counted from here on

    pipe.send(of_tree(os.getpid()))
    pipe.recv()
    from fastload.bench.loaders import batches_of, fill_cache, loader_of

    made = transform()
    start = time.perf_counter()
    loader = loader_of(entrant, made)
    batches = batches_of(entrant, loader)
    next(batches)
    first_batch = time.perf_counter() - start
    if entrant.fills:
        fill_cache(entrant, transform())
    pipe.send(Ready(first_batch))
    while True:
        pipe.send(_window(pipe.recv(), entrant, loader, batches))


def _window(seconds: float, entrant: Entrant, loader: Any, batches: Any) -> Window:
    for _ in range(entrant.ahead):
        next(batches)
    cpu, start = processor_time.of_tree(os.getpid()), time.perf_counter()
    done, passed = 0, 0.0
    while passed < seconds:
        next(batches)
        done += 1
        passed = time.perf_counter() - start
    cpu = processor_time.of_tree(os.getpid()) - cpu
    hits = loader.stats().hits if entrant.fills else 0.0
    return Window(done * entrant.batch, passed, cpu, hits)
