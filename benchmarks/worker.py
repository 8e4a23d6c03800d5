"""The process around one adapter: ``python -m benchmarks.worker '{"peer": "dali", ...}'``.

A line of JSON comes out once everything is imported. The first line that comes in lets the adapter
construct what it measures; one that comes out tells what that took. Then, for each JSON line that
comes in (``{"batches": n}``, or null for all of a window), one with what the window took. An error
is a line too: ``{"error": ...}``.

An adapter's ``load``, ``pack`` ... takes the ``Job`` and returns a function without arguments;
calling that starts one window and gives an iterator of the number of images done, batch by batch. A
generator that returns a number says how many seconds are to be counted for a whole window.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any, TextIO

from benchmarks import disk
from benchmarks.job import Job
from fastload.measure import memory, processor_time

Window = Callable[[], Iterator[int]]


def take_stdout() -> TextIO:
    """The real standard output, after pointing everybody else's prints at standard error."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return replies


def timed(window: Window, batches: int | None) -> dict[str, float]:
    """Run a window: its images, the seconds to its first and to its last batch."""
    images, first, last = 0, 0.0, 0.0
    own: list[float] = []

    def counted() -> Iterator[int]:
        said = yield from window()
        if said is not None:
            own.append(said)

    begin = perf_counter()
    for done in islice(counted(), batches):
        images += done
        last = perf_counter() - begin
        first = first or last
    return {"images": images, "seconds": own[0] if own else last, "first_batch": first}


def serve(job: Job, commands: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What was imported; then the replies to the commands, of which the first one constructs."""
    importlib.import_module("torchvision")
    base = memory.of_tree(os.getpid())
    adapter = importlib.import_module(f"benchmarks.peers.{job.peer}")
    yield {"version": adapter.VERSION, "base": base.as_dict()}
    lines = iter(commands)
    if next(lines, None) is None:
        return
    before, begin = processor_time.of_tree(os.getpid()), perf_counter()
    window = getattr(adapter, job.task)(job)
    yield {"construction": perf_counter() - begin, "cpu_before": before}
    for command in lines:
        if job.task == "pack":
            disk.discard(Path(job.packed))
        yield timed(window, json.loads(command)["batches"])


def main() -> None:
    """Serve the job named on the command line until standard input ends."""
    replies = take_stdout()

    def reply(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=replies, flush=True)

    def fail(kind: type[BaseException], error: BaseException | None) -> None:
        traceback.print_exception(error)
        reply({"error": f"{kind.__name__}: {error}"})
        os._exit(1)

    # An exception in a thread of FFCV's leaves its consumer waiting for ever.
    threading.excepthook = lambda failed: fail(failed.exc_type, failed.exc_value)
    try:
        for message in serve(Job(**json.loads(sys.argv[1])), sys.stdin):
            reply(message)
    except Exception as error:  # noqa: BLE001 - whatever it is, the table must show it
        fail(type(error), error)


if __name__ == "__main__":
    main()
