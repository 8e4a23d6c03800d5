"""A worker's life as the runner sees it: start, ask for a window, close."""

from __future__ import annotations

import json
import selectors
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.environments import python_of
from benchmarks.job import Job

ROOT = Path(__file__).resolve().parent.parent
# FFCV compiles for ten seconds, a slow peer's window takes as long: silent for this long, it hangs.
PATIENCE_SECONDS = 300
FAREWELL_SECONDS = 3


class WorkerError(Exception):
    """A worker could not be started, failed or fell silent; the message says what it said last."""


class Worker:
    """One peer's process, which begins to import; several can do so at the same time.

    Attributes:
        pid: of the process.
        imported: its reply to :meth:`await_import`: ``version``, ``base`` (its memory).
        ready: its reply to :meth:`construct`: ``construction`` (seconds), ``cpu_before``
            (seconds of CPU that it had had before).

    Raises:
        NotInstalledError: the peer's environment is not there.

    """

    def __init__(self, job: Job) -> None:
        python = python_of(job.peer)
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.worker", json.dumps(job.as_dict())],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.pid = self._process.pid
        self.imported: dict[str, Any] = {}
        self.ready: dict[str, Any] = {}

    def await_import(self) -> None:
        """Wait until the adapter is imported.

        Raises:
            WorkerError: it failed.

        """
        self.imported = self._reply()

    def construct(self) -> None:
        """Let the adapter construct what it measures.

        Raises:
            WorkerError: it failed.

        """
        self._ask({})
        self.ready = self._reply()

    def run(self, batches: int | None = None) -> dict[str, Any]:
        """One window, or only its first batches: ``images``, ``seconds``, ``first_batch``.

        Raises:
            WorkerError: it failed.

        """
        self._ask({"batches": batches})
        return self._reply()

    def _ask(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # It has ended; the missing reply says how.
            self._process.stdin.write(json.dumps(message) + "\n")

    def close(self) -> None:
        """End the process; kill it if it does not end by itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=FAREWELL_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _reply(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline() if selector.select(PATIENCE_SECONDS) else ""
        reply: dict[str, Any] = json.loads(line) if line else {"error": self._silence()}
        if "error" in reply:
            self.close()
            raise WorkerError(reply["error"])
        return reply

    def _silence(self) -> str:
        """Why no reply came."""
        try:
            return f"ended with code {self._process.wait(FAREWELL_SECONDS)}"
        except subprocess.TimeoutExpired:
            self._process.kill()
            return f"no answer for {PATIENCE_SECONDS} s"
