"""Records are converted in order, and only so many ahead of their use."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from fastload.export import stream
from fastload.export.selection import Selection, select
from fastload.export.stream import converted
from fastload.store import open_pack


@pytest.mark.parametrize("limit", [("_CHUNK", 2), ("_CHUNK_PIXELS", 3000)])
def test_in_order_and_bounded(
    small_pack: Path, monkeypatch: pytest.MonkeyPatch, limit: tuple[str, int]
) -> None:
    """A chunk of 3000 pixels has one image of these, or two."""
    monkeypatch.setattr(stream, *limit)
    begun, lock, told = [], threading.Lock(), []

    def work(record: int) -> int:
        with lock:
            begun.append(record)
        return record

    selection = select(open_pack(small_pack))
    results = converted(selection, work, 2, lambda *numbers: told.append(numbers))
    for done, record in enumerate(results):
        assert record == done
        # Those that were handed over, and four chunks of two.
        assert len(begun) <= done + 1 + 2 * 5
    assert sorted(begun) == list(range(22))
    stored = int(open_pack(small_pack).index.length.sum())
    assert told[0] == (0, 22, 0, stored)
    assert told[-1] == (22, 22, stored, stored)


def test_a_part_is_taken_in_the_order_of_the_records(small_pack: Path) -> None:
    samples = np.array([9, 2, 21, 4])
    selection = Selection(open_pack(small_pack), samples)
    assert list(converted(selection, int, 1, lambda *_: None)) == sorted(samples.tolist())
    assert samples[selection.order].tolist() == sorted(samples.tolist())
