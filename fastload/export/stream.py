"""Records converted by several threads, handed over in their order, in bounded memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from fastload.pack.ahead import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastload.export.selection import Selection

__all__ = ["converted"]

_Result = TypeVar("_Result")

# Records that a thread takes at a time, fewer where they are large: each is pixels for a while.
_CHUNK = 32
_CHUNK_PIXELS = 1 << 22


def converted(
    selection: Selection,
    work: Callable[[int], _Result],
    workers: int,
    progress: Callable[[int, int, int, int], None],
) -> Iterator[_Result]:
    """The results of ``work`` for each record of a selection, in the order of the records.

    That is the order in which the shards have them, so each is read from end to end.

    Args:
        selection: the records.
        work: what is done with a record id; called by several threads.
        workers: how many.
        progress: called with records done, records in all, their bytes in the pack, all bytes.
    """
    total, stored, done, done_bytes = len(selection), selection.bytes_stored, 0, 0
    progress(0, total, 0, stored)
    with ThreadPoolExecutor(workers, "fastload-export") as executor:
        for chunk, results in in_order(
            executor,
            lambda chunk: (chunk, [work(record) for record in chunk]),
            _chunks(selection),
            2 * workers,
        ):
            yield from results
            done += len(chunk)
            done_bytes += int(selection.pack.index.length[chunk].sum(dtype=int))
            progress(done, total, done_bytes, stored)


def _chunks(selection: Selection) -> Iterator[list[int]]:
    index = selection.pack.index
    chunk: list[int] = []
    pixels = 0
    for sample in selection.order:
        record = int(selection.samples[sample])
        chunk.append(record)
        pixels += int(index.width[record]) * int(index.height[record])
        if len(chunk) == _CHUNK or pixels >= _CHUNK_PIXELS:
            yield chunk
            chunk, pixels = [], 0
    if chunk:
        yield chunk
