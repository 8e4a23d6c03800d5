"""All that can be checked about a pack, each fault by name."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastload.errors import PackError
from fastload.native.library import crc32c
from fastload.store.codec import EXTENSIONS_OF_FILES, Codec, member_extension
from fastload.store.mapping import map_file
from fastload.store.paths import path_fault
from fastload.store.shards import SHARDS_NAME
from fastload.store.ustar import BLOCK, END_OF_ARCHIVE, header, padding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from fastload.store.pack import Pack

__all__ = ["Fault", "faults"]

_FILE_EXTENSIONS = sorted({*EXTENSIONS_OF_FILES.values(), ".img"})
# Bytes hashed at a time, so that other threads are not kept from a shard's first pages.
_STEP = 8 << 20


@dataclass(frozen=True)
class Fault:
    """Something wrong with a pack.

    Attributes:
        file: the file at fault, relative to the pack.
        reason: what is wrong.
        record: the record at fault, or None where it is the file itself.
        path: the record's path under the label folder.
    """

    file: str
    reason: str
    record: int | None = None
    path: str | None = None


def faults(
    pack: Pack,
    decode: Callable[[Pack, int], tuple[int, int]] | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Fault]:
    """Check a pack: its index, the hash and structure of each shard, the checksum of each record.

    Args:
        pack: an open pack.
        decode: decodes a record and returns its width and height; every sound record is given to
            it, and what it raises is that record's fault.
        workers: shards, or records of a shard, looked at side by side.
        progress: called with the number of records done, now and then.

    Yields:
        The faults, in the order of the records.
    """
    if progress is not None:
        progress(0)
    yield from _index_faults(pack)
    with ThreadPoolExecutor(workers, "fastload-verify") as executor:
        for number in range(len(pack.manifest.shards)):
            yield from _Shard(pack, number).faults(executor, workers, decode)
            if progress is not None:
                progress(pack.shard_records(number).stop)


def _index_faults(pack: Pack) -> Iterator[Fault]:
    name = pack.manifest.index.name
    if _sha256(map_file(pack.index_file)) != pack.manifest.index.sha256:
        yield Fault(name, "its bytes are not those that were packed (SHA-256 differs)")
    for column in ("label", "listing"):
        try:
            getattr(pack.index, column)
        except PackError as error:
            yield Fault(name, str(error))
            return


class _Shard:
    """One shard under examination, mapped as it is, however long it is."""

    def __init__(self, pack: Pack, number: int) -> None:
        self._pack = pack
        self._number = number
        self._entry = pack.manifest.shards[number]
        self._name = f"{SHARDS_NAME}/{self._entry.name}"
        self._path = pack.shard_file(number)
        self._records = pack.shard_records(number)
        self._labels = _labels(pack)
        self._cls = bool(pack.manifest.options.get("cls")) and self._labels is not None

    def faults(
        self,
        executor: ThreadPoolExecutor,
        workers: int,
        decode: Callable[[Pack, int], tuple[int, int]] | None,
    ) -> Iterator[Fault]:
        try:
            data = map_file(self._path)
        except OSError as error:
            yield Fault(self._name, f"cannot be read ({error.strerror})")
            return
        if len(data) != self._entry.size:
            yield Fault(
                self._name, f"the file has {len(data)} bytes, {self._entry.size} are declared"
            )
        hashed = executor.submit(_sha256, data)
        bad = self._row_faults(len(data))
        sound = [record for record in self._records if record not in bad]
        step = max(1, -(-len(sound) // (4 * workers)))
        parts = [sound[first : first + step] for first in range(0, len(sound), step)]
        for found in executor.map(lambda part: self._record_faults(data, part, decode), parts):
            bad.update(found)
        for record in sorted(bad):
            yield self._fault(record, bad[record])
        if bytes(data[-len(END_OF_ARCHIVE) :]) != END_OF_ARCHIVE:
            yield Fault(self._name, "the archive has no end")
        if hashed.result() != self._entry.sha256:
            yield Fault(self._name, "its bytes are not those that were packed (SHA-256 differs)")

    def _fault(self, record: int, reason: str) -> Fault:
        try:
            path = self._pack.index.path(record)
        except PackError as error:
            return Fault(self._name, f"{reason}; {error}", record)
        return Fault(self._name, reason, record, path)

    def _row_faults(self, size: int) -> dict[int, str]:
        rows = self._records
        found: dict[int, str] = {}
        for record, fault in self._pack.index.faults(self._number, rows.start, rows.stop, size):
            found.setdefault(record, fault)
        return found

    def _record_faults(
        self,
        data: memoryview,
        records: list[int],
        decode: Callable[[Pack, int], tuple[int, int]] | None,
    ) -> dict[int, str]:
        found = {}
        for record in records:
            fault = self._member_fault(data, record) or self._path_fault(record)
            if fault is None and decode is not None and len(data) == self._entry.size:
                fault = self._decoding_fault(decode, record)
            if fault is not None:
                found[record] = fault
        return found

    def _member_fault(self, data: memoryview, record: int) -> str | None:
        index = self._pack.index
        offset, length = int(index.offset[record]), int(index.length[record])
        if crc32c(data[offset : offset + length]) != int(index.crc32c[record]):
            return "its bytes are not those that were packed (CRC-32C differs)"
        before = bytes(data[max(0, offset - BLOCK) : offset])
        if before not in self._headers(record, length):
            return "its tar header is damaged"
        after = padding(length) + (self._label_member(record) if self._cls else b"")
        if bytes(data[offset + length : offset + length + len(after)]) != after:
            return "the tar member of its label, or the padding before, is damaged"
        return None

    def _headers(self, record: int, length: int) -> list[bytes]:
        codec = Codec(self._pack.index.codec[record])
        extensions = _FILE_EXTENSIONS if codec is Codec.FILE else [member_extension(codec)]
        return [header(b"%09d%b" % (record, ext.encode()), length) for ext in extensions]

    def _label_member(self, record: int) -> bytes:
        assert self._labels is not None
        digits = b"%d" % self._labels[record]
        return header(b"%09d.cls" % record, len(digits)) + digits + padding(len(digits))

    def _path_fault(self, record: int) -> str | None:
        if self._labels is None:
            return None
        try:
            path = self._pack.index.path(record)
        except PackError as error:
            return str(error)
        return path_fault(path, self._pack.class_name(record))

    def _decoding_fault(
        self, decode: Callable[[Pack, int], tuple[int, int]], record: int
    ) -> str | None:
        try:
            size = decode(self._pack, record)
        except Exception as error:  # noqa: BLE001 - decoders raise anything on bad bytes
            return f"cannot be decoded ({error})"
        declared = int(self._pack.index.width[record]), int(self._pack.index.height[record])
        if size != declared:
            return f"is {size[0]}x{size[1]} pixels, {declared[0]}x{declared[1]} are declared"
        return None


def _labels(pack: Pack) -> NDArray[np.uint32] | None:
    """The labels, or None where they are damaged (which is a fault of its own)."""
    try:
        return pack.index.label
    except PackError:
        return None


def _sha256(data: memoryview) -> str:
    digest = hashlib.sha256()
    for first in range(0, len(data), _STEP):
        digest.update(data[first : first + _STEP])
    return digest.hexdigest()
