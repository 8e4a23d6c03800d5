"""A pack written from end to end: threads encode ahead, one writer appends in order.

Each full shard is sealed, and the last step makes the folder a pack. It goes on where an
interrupted run stopped, and ends in the same bytes. What is encoded is the business of a
:class:`Work`.
"""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fastload.errors import PackError
from fastload.pack.ahead import in_order
from fastload.pack.duplicate import Duplicate
from fastload.pack.encode import Rejected
from fastload.pack.journal import ROW, Journal, ShardRecord
from fastload.pack.target import disk_named
from fastload.pack.write import ShardWriter
from fastload.store.shards import SHARDS_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from fastload.pack.encode import Encoded
    from fastload.pack.scan import Listing
    from fastload.store.manifest import Manifest, ShardEntry

__all__ = ["Progress", "Report", "Work", "Written", "write_pack", "write_shards"]

# A chunk is what one thread encodes at a time: enough to make handing it over cheap, little enough
# that the chunks encoded ahead stay small in memory.
_CHUNK_FILES = 16
_CHUNK_BYTES = 4 << 20


@dataclass(frozen=True)
class Progress:
    """How far the writing is: images and source bytes done and in all, images rejected."""

    files: int
    files_in_all: int
    bytes: int
    bytes_in_all: int
    rejected: int


@dataclass(frozen=True)
class Report:
    """What came of it.

    Attributes:
        path: the pack.
        manifest: of the pack.
        rejected: (path under the label folder, reason) of each file left out.
        seconds: the time it took.
        files_now: images encoded in this run; fewer than the source's where it was resumed.
        already_packed: the pack was there, nothing was done.
    """

    path: Path
    manifest: Manifest
    rejected: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    files_now: int = 0
    already_packed: bool = False

    @property
    def bytes_out(self) -> int:
        """Bytes of the shards and the index."""
        return sum(shard.size for shard in self.manifest.shards) + self.manifest.index.size


@dataclass(frozen=True)
class Written:
    """All shards of a pack.

    Attributes:
        shards: in order.
        rows: (records,) of dtype :data:`fastload.pack.journal.ROW`, through the shards.
        rejected: (place in the listing, reason) of each file left out, sorted.
        duplicates: (place in the listing, record) of each file that the pack has already, sorted.
    """

    shards: list[ShardEntry]
    rows: NDArray[np.void]
    rejected: list[tuple[int, str]]
    duplicates: list[tuple[int, int]] = field(default_factory=list)


class Work(Protocol):
    """What becomes a pack.

    Attributes:
        listing: the images.
        order: (N,) int64, places in the listing in the order in which the records are stored.
        job: all that decides the pack's bytes, as JSON.
        shard_size: bytes a shard may have.
        cls: each record is followed by a ``.cls`` member.
        strict: an image that is rejected is an error.
        before: shards of the pack that are there and stay; numbers and ids follow on theirs.
        starts: ids of records that a shard begins with, however full the one before is.
    """

    listing: Listing
    order: NDArray[np.int64]
    job: dict[str, Any]
    shard_size: int
    cls: bool
    strict: bool
    before: tuple[ShardEntry, ...]
    starts: frozenset[int]

    def encode(self, place: int) -> Encoded | Rejected | Duplicate:
        """The record of the image at a place in the listing; called by many threads."""
        ...

    def commit(self, root: Path, written: Written) -> Manifest:
        """Write all that is not a shard; ``pack.json`` comes last."""
        ...


def write_pack(
    root: Path, work: Work, workers: int, progress: Callable[[Progress], None] | None
) -> Report:
    """Write a pack into ``root``, which is new, empty, or holds what a run with the same job left.

    Args:
        root: the pack's folder.
        work: what becomes a pack.
        workers: threads that encode.
        progress: called now and then with how far it is.

    Raises:
        PackError: the folder holds something of another job, another process writes to it, it
            cannot be written, or an image was rejected that must not be.
    """
    began = time.monotonic()
    with disk_named(root), contextlib.closing(Journal(root)) as journal:
        written, files_now = write_shards(root, work, journal, workers, progress)
        manifest = work.commit(root, written)
        journal.remove()
    return Report(
        root,
        manifest,
        [(work.listing.paths[place], reason) for place, reason in written.rejected],
        time.monotonic() - began,
        files_now,
    )


def write_shards(
    root: Path,
    work: Work,
    journal: Journal,
    workers: int,
    progress: Callable[[Progress], None] | None,
) -> tuple[Written, int]:
    """Write all shards, or those that an interrupted run did not.

    Args:
        root: the pack's folder.
        work: what becomes a pack, or a part of it.
        journal: of the folder.
        workers: threads that encode.
        progress: called now and then with how far it is.

    Returns:
        What is in the shards, and how many images were encoded in this run.

    Raises:
        PackError: the folder holds something of another job, or an image was rejected that must
            not be.
    """
    flow = _Flow(root, work, journal)
    flow.resume()
    start = flow.position
    flow.go_on(workers, progress or (lambda _: None))
    return flow.written(), len(work.listing) - start


class _Flow:
    """The one writer and what it knows.

    Attributes:
        position: in the order, of the next image to append.
    """

    def __init__(self, root: Path, work: Work, journal: Journal) -> None:
        self.position = 0
        self._root = root
        self._work = work
        self._listing = work.listing
        self._journal = journal
        self._rejected: list[tuple[int, str]] = []
        self._duplicates: list[tuple[int, int]] = []
        self._finished: list[ShardRecord] = []
        self._records = sum(entry.records for entry in work.before)
        self._bytes = 0
        self._bytes_in_all = int(work.listing.sizes.sum())
        # of the shard that grows
        self._shard: ShardWriter | None = None
        self._number = 0
        self._rows: list[tuple[Any, ...]] = []
        self._rejected_before = 0
        self._duplicates_before = 0
        # A full shard is synced by a thread of its own while the next one grows.
        self._sealer = ThreadPoolExecutor(1, "fastload-seal")
        self._sealing: Future[None] | None = None

    def resume(self) -> None:
        """Take over the finished shards of an interrupted run."""
        first = len(self._work.before)
        self._finished = self._journal.begin(self._work.job, first)
        for record in self._finished:
            self._records += record.entry.records
            for place, reason in record.rejected:
                self._reject(place, reason)
            self._duplicates += record.duplicates
            self.position = record.following
        self._number = first + len(self._finished)
        self._rejected_before = len(self._rejected)
        self._duplicates_before = len(self._duplicates)
        self._bytes = int(self._listing.sizes[self._work.order[: self.position]].sum())

    def go_on(self, workers: int, progress: Callable[[Progress], None]) -> None:
        """Encode and append every image from :attr:`position` on."""
        progress(self._progress())
        with (
            self._sealer,
            ThreadPoolExecutor(workers, "fastload-encode") as encoders,
            contextlib.ExitStack() as unfinished,
        ):
            unfinished.callback(self._abandon)
            results = in_order(encoders, self._encode, self._chunks(), 2 * workers + 2)
            unfinished.enter_context(contextlib.closing(results))
            for chunk, outcomes in results:
                for place, outcome in zip(chunk, outcomes, strict=True):
                    self._take(place, outcome)
                    self.position += 1
                    self._bytes += int(self._listing.sizes[place])
                progress(self._progress())
            if self._shard is not None:
                self._close(self._shard)
            self._wait_for_sealing()

    def written(self) -> Written:
        """All shards, once every image was appended."""
        return Written(
            [record.entry for record in self._finished],
            np.concatenate([np.empty(0, ROW), *(record.rows for record in self._finished)]),
            sorted(self._rejected),
            sorted(self._duplicates),
        )

    def _chunks(self) -> Iterator[list[int]]:
        """Places in the listing of the images still to do, in the order of writing."""
        chunk: list[int] = []
        held = 0
        for place in self._work.order[self.position :].tolist():
            chunk.append(place)
            held += int(self._listing.sizes[place])
            if len(chunk) == _CHUNK_FILES or held >= _CHUNK_BYTES:
                yield chunk
                chunk, held = [], 0
        if chunk:
            yield chunk

    def _encode(self, chunk: list[int]) -> tuple[list[int], list[Encoded | Rejected | Duplicate]]:
        return chunk, [self._work.encode(place) for place in chunk]

    def _take(self, place: int, outcome: Encoded | Rejected | Duplicate) -> None:
        if isinstance(outcome, Rejected):
            self._reject(place, outcome.reason)
        elif isinstance(outcome, Duplicate):
            self._duplicates.append((place, outcome.record))
        else:
            self._append(place, outcome)

    def _append(self, place: int, outcome: Encoded) -> None:
        if self._shard is not None and not self._goes_into(self._shard, len(outcome.payload)):
            self._close(self._shard)
        if self._shard is None:
            self._shard = ShardWriter(self._root / SHARDS_NAME, self._number, cls=self._work.cls)
            self._number += 1
        label = int(self._listing.labels[place])
        offset = self._shard.append(self._records, outcome.extension, outcome.payload, label)
        self._rows.append(outcome.row(place, offset))
        self._records += 1

    def _goes_into(self, shard: ShardWriter, size: int) -> bool:
        return self._records not in self._work.starts and shard.fits(size, self._work.shard_size)

    def _reject(self, place: int, reason: str) -> None:
        if self._work.strict:
            raise PackError(
                f"{self._listing.root / self._listing.paths[place]}: {reason}. Repair or remove "
                "it, or leave out --strict to go on without it."
            )
        self._rejected.append((place, reason))

    def _close(self, shard: ShardWriter) -> None:
        rows = np.array(self._rows, ROW)
        rejected = tuple(self._rejected[self._rejected_before :])
        duplicates = tuple(self._duplicates[self._duplicates_before :])
        self._rejected_before = len(self._rejected)
        self._duplicates_before = len(self._duplicates)
        self._shard, self._rows = None, []
        # The record of a shard must come before the next one's, so one at a time is sealed.
        self._wait_for_sealing()
        self._sealing = self._sealer.submit(
            self._seal, shard, rows, rejected, duplicates, self.position
        )

    def _seal(
        self,
        shard: ShardWriter,
        rows: NDArray[np.void],
        rejected: tuple[tuple[int, str], ...],
        duplicates: tuple[tuple[int, int], ...],
        following: int,
    ) -> None:
        try:
            record = ShardRecord(shard.seal(), rows, rejected, duplicates, following)
        except BaseException:
            shard.abandon()
            raise
        self._journal.add(shard.number, record)
        self._finished.append(record)

    def _wait_for_sealing(self) -> None:
        if self._sealing is not None:
            self._sealing.result()

    def _abandon(self) -> None:
        if self._shard is not None:
            self._shard.abandon()

    def _progress(self) -> Progress:
        return Progress(
            self.position,
            len(self._listing),
            self._bytes,
            self._bytes_in_all,
            len(self._rejected),
        )
