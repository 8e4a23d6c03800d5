"""Packing from end to end: threads encode ahead, one writer appends in order, shards are sealed."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastload.errors import PackError
from fastload.native import library as native
from fastload.pack.ahead import in_order
from fastload.pack.commit import REJECTED_NAME, commit, writer_versions
from fastload.pack.encode import Encoded, Rejected, encode_file, load_plugins
from fastload.pack.journal import JOURNAL_NAME, ROW, Journal, ShardRecord
from fastload.pack.scan import Listing, scan
from fastload.pack.write import ShardWriter
from fastload.store.manifest import MANIFEST_NAME, Manifest
from fastload.store.pack import open_pack
from fastload.store.shards import SHARDS_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from fastload.pack.options import Options

__all__ = ["Progress", "Report", "pack_folder"]

# A chunk is what one thread encodes at a time: enough to make handing it over cheap, little enough
# that the chunks encoded ahead stay small in memory.
_CHUNK_FILES = 16
_CHUNK_BYTES = 4 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@dataclass(frozen=True)
class Progress:
    """How far the packing is: files and source bytes done and in all, files rejected."""

    files: int
    files_in_all: int
    bytes: int
    bytes_in_all: int
    rejected: int


@dataclass(frozen=True)
class Report:
    """What came of a packing.

    Attributes:
        path: the pack.
        manifest: of the pack.
        rejected: (path under the label folder, reason) of each file left out.
        seconds: the time it took.
        files_now: files encoded in this run; fewer than the source's where it was resumed.
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


def pack_folder(
    source: str | os.PathLike[str],
    root: Path,
    options: Options,
    *,
    workers: int,
    strict: bool,
    allow_empty: bool,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Pack a label folder; see :func:`fastload.pack.pack`."""
    began = time.monotonic()
    listing = scan(source, allow_empty=allow_empty)
    _refuse_inside(root, listing.root)
    manifest = _existing(root, listing, options)
    if manifest is not None:
        if strict and manifest.source.rejected:
            raise PackError(
                f"{root} leaves out {manifest.source.rejected} files (named in {REJECTED_NAME}), "
                "which --strict does not allow. Repair or remove them, remove the pack, and pack "
                "again."
            )
        return Report(root, manifest, already_packed=True)
    with _disk_named(root), contextlib.closing(Journal(root)) as journal:
        packing = _Packing(root, listing, options, journal, strict=strict)
        packing.resume()
        start = packing.position
        packing.go_on(workers, progress or (lambda _: None))
        manifest = packing.finish()
    return Report(
        root,
        manifest,
        [(listing.paths[place], reason) for place, reason in sorted(packing.rejected)],
        time.monotonic() - began,
        len(listing) - start,
    )


class _Packing:
    """The one writer and what it knows.

    Attributes:
        position: in the order, of the next file to append.
        rejected: (place in the listing, reason) so far.
    """

    def __init__(
        self, root: Path, listing: Listing, options: Options, journal: Journal, *, strict: bool
    ) -> None:
        self.position = 0
        self.rejected: list[tuple[int, str]] = []
        self._root = root
        self._listing = listing
        self._options = options
        self._journal = journal
        self._strict = strict
        self._order: NDArray[np.int64] = native.permutation(options.seed, 0, len(listing))
        self._finished: list[ShardRecord] = []
        self._records = 0
        self._bytes = 0
        self._bytes_in_all = int(listing.sizes.sum())
        # of the shard that grows
        self._shard: ShardWriter | None = None
        self._number = 0
        self._rows: list[tuple[Any, ...]] = []
        self._rejected_before = 0
        # A full shard is synced by a thread of its own while the next one grows.
        self._sealer = ThreadPoolExecutor(1, "fastload-seal")
        self._sealing: Future[None] | None = None

    def resume(self) -> None:
        """Take over the finished shards of an interrupted run."""
        job = {
            **self._options.to_json(),
            **{f"{name} version": version for name, version in writer_versions().items()},
            "listing": self._listing.state(),
        }
        self._finished = self._journal.begin(job)
        for record in self._finished:
            self._records += record.entry.records
            for place, reason in record.rejected:
                self._reject(place, reason)
            self.position = record.following
        self._number = len(self._finished)
        self._rejected_before = len(self.rejected)
        self._bytes = int(self._listing.sizes[self._order[: self.position]].sum())

    def go_on(self, workers: int, progress: Callable[[Progress], None]) -> None:
        """Encode and append every file from :attr:`position` on."""
        load_plugins()
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

    def finish(self) -> Manifest:
        """Write the rest of the pack.

        Raises:
            PackError: there were files and all of them were rejected.
        """
        if self.rejected and not self._records:
            place, reason = self.rejected[0]
            raise PackError(
                f"None of the {len(self._listing)} files is an image that can be read; the first: "
                f"{self._listing.paths[place]}: {reason}."
            )
        manifest = commit(
            self._root,
            self._listing,
            self._options,
            [record.entry for record in self._finished],
            np.concatenate([np.empty(0, ROW), *(record.rows for record in self._finished)]),
            sorted(self.rejected),
        )
        self._journal.remove()
        return manifest

    def _chunks(self) -> Iterator[list[int]]:
        """Places in the listing of the files still to do, in the order of packing."""
        chunk: list[int] = []
        held = 0
        for place in self._order[self.position :].tolist():
            chunk.append(place)
            held += int(self._listing.sizes[place])
            if len(chunk) == _CHUNK_FILES or held >= _CHUNK_BYTES:
                yield chunk
                chunk, held = [], 0
        if chunk:
            yield chunk

    def _encode(self, chunk: list[int]) -> tuple[list[int], list[Encoded | Rejected]]:
        root, listing = str(self._listing.root), self._listing
        return chunk, [
            encode_file(f"{root}/{listing.paths[place]}", int(listing.sizes[place]), self._options)
            for place in chunk
        ]

    def _take(self, place: int, outcome: Encoded | Rejected) -> None:
        if isinstance(outcome, Rejected):
            self._reject(place, outcome.reason)
            return
        size = len(outcome.payload)
        if self._shard is not None and not self._shard.fits(size, self._options.shard_size):
            self._close(self._shard)
        if self._shard is None:
            folder = self._root / SHARDS_NAME
            self._shard = ShardWriter(folder, self._number, cls=self._options.cls)
            self._number += 1
        label = int(self._listing.labels[place])
        offset = self._shard.append(self._records, outcome.extension, outcome.payload, label)
        self._rows.append(outcome.row(place, offset))
        self._records += 1

    def _reject(self, place: int, reason: str) -> None:
        if self._strict:
            raise PackError(
                f"{self._listing.root / self._listing.paths[place]}: {reason}. Repair or remove "
                "it, or pack without --strict to leave it out."
            )
        self.rejected.append((place, reason))

    def _close(self, shard: ShardWriter) -> None:
        rows = np.array(self._rows, ROW)
        rejected = tuple(self.rejected[self._rejected_before :])
        self._rejected_before = len(self.rejected)
        self._shard, self._rows = None, []
        # The record of a shard must come before the next one's, so one at a time is sealed.
        self._wait_for_sealing()
        self._sealing = self._sealer.submit(self._seal, shard, rows, rejected, self.position)

    def _seal(
        self,
        shard: ShardWriter,
        rows: NDArray[np.void],
        rejected: tuple[tuple[int, str], ...],
        following: int,
    ) -> None:
        try:
            record = ShardRecord(shard.seal(), rows, rejected, following)
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
            len(self.rejected),
        )


def _refuse_inside(root: Path, source: Path) -> None:
    """A pack inside the label folder would be one of its classes next time."""
    if root.resolve().is_relative_to(source.resolve()):
        raise PackError(f"{root} lies inside the label folder: choose another place with --output.")


def _existing(root: Path, listing: Listing, options: Options) -> Manifest | None:
    """The manifest of the finished pack in ``root``, or None where there is none yet.

    Raises:
        PackError: the folder holds something else, or a pack of other files or options.
    """
    if not (root / MANIFEST_NAME).exists():
        if root.exists() and not root.is_dir():
            raise PackError(f"{root} is a file: choose another name with --output.")
        if root.exists() and not (root / JOURNAL_NAME).is_dir() and any(root.iterdir()):
            raise PackError(
                f"{root} is not empty and not a pack: choose another folder with --output."
            )
        return None
    pack = open_pack(root)
    differing = _differing(pack.manifest, listing, options)
    if differing:
        raise PackError(
            f"{root} is already a pack, of other {' and '.join(differing)}. Remove it to pack "
            "again, or choose another folder with --output."
        )
    for number, shard in enumerate(pack.manifest.shards):
        file = pack.shard_file(number)
        if not file.exists() or file.stat().st_size != shard.size:
            raise PackError(f"{file} is missing or damaged. Remove {root} and pack again.")
    _remove_journal(root)
    return pack.manifest


def _differing(manifest: Manifest, listing: Listing, options: Options) -> list[str]:
    wanted, found = options.to_json(), manifest.options
    keys = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
    told = [f"options ({key} {found.get(key)!r}, not {wanted.get(key)!r})" for key in keys]
    same_classes = tuple(entry.name for entry in manifest.classes) == listing.classes
    if not same_classes or manifest.source.fingerprint != listing.fingerprint():
        told.append("files (the label folder has changed)")
    return told


def _remove_journal(root: Path) -> None:
    """What remains of the journal where a run was ended after its last step but one."""
    if (root / JOURNAL_NAME).is_dir():
        Journal(root).remove()


@contextlib.contextmanager
def _disk_named(root: Path) -> Iterator[None]:
    """Say what to do where the pack cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno in _FORBIDDEN:
            raise PackError(
                f"{root} cannot be written ({error.strerror}): choose another folder with --output."
            ) from error
        if error.errno not in _FULL:
            raise
        raise PackError(
            f"The disk that holds {root} is full ({error.strerror}); there is no pack yet. Make "
            "room and run the same command again: the finished shards are kept."
        ) from error
