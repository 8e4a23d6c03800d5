"""One window: what is counted, and what is not."""

from __future__ import annotations

import mmap
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from fastload.tune.headroom import replay
from fastload.tune.running import Pace, run_window
from fastload.tune.settings import FolderSettings, PackSettings
from fastload.tune.turns import measure_turn


class Planted:
    """A loader whose first batches are there at once; the others take a second each.

    Time goes by only where a batch or a step takes some.
    """

    def __init__(self, queued: int, slow: float = 1.0) -> None:
        self.now = 0.0
        self.taken = 0
        self.closed = False
        self._queued = queued
        self._slow = slow

    def clock(self) -> float:
        return self.now

    def __iter__(self) -> Iterator[int]:
        for number in count():
            self.taken += 1
            self.now += 0.0 if number < self._queued else self._slow
            yield number

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_what_was_made_ahead_is_not_counted(workers: int) -> None:
    loader = Planted(queued=workers * 4)
    pace = Pace.of(FolderSettings(workers, 4), batch_size=10, seconds=6.0)
    window = run_window(lambda: loader, pace, clock=loader.clock)
    assert window.images_per_second == 10.0
    assert window.images % (workers * 10) == 0 and window.seconds >= 6.0
    assert loader.closed


def test_a_window_ends_by_seconds_where_batches_are_slow() -> None:
    loader = Planted(queued=0, slow=10.0)
    window = run_window(lambda: loader, Pace(10, 8, 3, 1.0), clock=loader.clock)
    # One at the start, one to warm up, one that is counted.
    assert (loader.taken, window.images, window.seconds) == (3, 10, 10.0)


def test_the_first_batch_is_timed_from_before_the_loader_is_made() -> None:
    loader = Planted(queued=0)

    def make() -> Planted:
        loader.now += 5.0
        return loader

    window = run_window(make, Pace(10, 1, 1, 4.0), clock=loader.clock)
    assert window.first_batch == 6.0


def test_the_step_is_part_of_the_time() -> None:
    loader = Planted(queued=0)
    steps: list[Any] = []

    def step(batch: Any) -> None:
        steps.append(batch)
        loader.now += 3.0

    window = run_window(lambda: loader, Pace(8, 2, 1, 16.0), step, loader.clock)
    assert window.images_per_second == 2.0
    assert steps == list(range(loader.taken))


def test_processor_time_and_memory_of_the_window() -> None:
    class Working:
        def __iter__(self) -> Iterator[int]:
            self.kept = mmap.mmap(-1, 64 << 20)
            self.kept.write(b"x" * len(self.kept))
            while True:
                end = time.thread_time() + 0.02
                while time.thread_time() < end:
                    pass
                yield 0

    window = run_window(Working, Pace(1, 1, 1, 0.2))
    assert window.cpu_seconds == pytest.approx(0.02 * window.images, abs=0.1)
    assert window.memory >= 60 << 20


def test_a_loader_is_closed_where_the_step_fails() -> None:
    loader = Planted(queued=0)

    def step(batch: Any) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run_window(lambda: loader, Pace(1, 1, 1, 1.0), step)
    assert loader.closed


def test_threads_have_one_queue_and_workers_one_each() -> None:
    assert Pace.of(PackSettings(8, 4), 2, 1.0) == Pace(2, queue=4, turn=1, seconds=1.0)
    assert Pace.of(FolderSettings(8, 4), 2, 1.0) == Pace(2, queue=32, turn=8, seconds=1.0)
    assert Pace.of(FolderSettings(0), 2, 1.0) == Pace(2, queue=0, turn=1, seconds=1.0)


def test_the_step_is_replayed_on_cached_batches() -> None:
    now, seen = 0.0, []

    def step(batch: str) -> None:
        nonlocal now
        seen.append(batch)
        # The first call compiles.
        now += 60.0 if len(seen) == 1 else 0.5

    headroom = replay(step, ["a", "b"], 16, 4.0, lambda: now)
    assert (headroom.images_per_second, headroom.batches) == (32.0, 8)
    assert seen[:4] == ["a", "b", "a", "b"]


def test_what_a_turn_between_epochs_costs_decides_whether_workers_live_on() -> None:
    now = 0.0

    class Epoch:
        def __init__(self, kept: bool) -> None:
            self._kept, self._begun = kept, False

        def __iter__(self) -> Iterator[int]:
            nonlocal now
            now += 0.1 if self._kept and self._begun else 0.6
            self._begun = True
            yield from range(3)

    turn = measure_turn(Epoch, 4.4, lambda: now)
    assert (turn.anew, turn.kept) == (pytest.approx(0.6), pytest.approx(0.1))
    assert turn.saved == pytest.approx(0.1) and turn.worth_keeping
    assert not measure_turn(Epoch, 100.0, lambda: now).worth_keeping
