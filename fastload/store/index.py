"""The index: one row a record, mapped and never read into memory."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fastload.errors import PackError
from fastload.store.codec import Codec
from fastload.store.manifest import BINARY_PATHS, DCT_RECORDS, Manifest
from fastload.store.mapping import map_file, release_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["Index", "index_schema"]

_COLUMNS: dict[str, pa.DataType] = {
    "shard": pa.uint32(),
    "offset": pa.uint64(),
    "length": pa.uint32(),
    "label": pa.uint32(),
    "width": pa.uint32(),
    "height": pa.uint32(),
    "codec": pa.uint8(),
    "orientation": pa.uint8(),
    "crc32c": pa.uint32(),
    "perceptual_hash": pa.uint64(),
    "listing": pa.uint64(),
}
_KNOWN = np.isin(np.arange(256), list(Codec))
_DCT = np.arange(256) == Codec.DCT
# Rows looked at in one step of a check: the temporaries stay in the processor's cache.
_STEP = 1 << 15


def index_schema(*, binary_paths: bool) -> pa.Schema:
    """The columns of the index, in order.

    Args:
        binary_paths: the paths are bytes (some of them are not UTF-8), not strings.
    """
    paths = pa.large_binary() if binary_paths else pa.large_string()
    columns = [*_COLUMNS.items(), ("path", paths)]
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns])


class Index:
    """The columns of a pack's index as read-only arrays over the mapped file.

    ``label`` and ``listing`` are checked in whole when first asked for, the place of a record when
    its shard is first mapped; nothing is read before that, so opening costs the same for a
    thousand records as for a hundred million.

    Attributes:
        shard: (N,) uint32, the shard a record lies in.
        offset: (N,) uint64, where in the shard's file its bytes begin.
        length: (N,) uint32, bytes.
        width: (N,) uint32, pixels.
        height: (N,) uint32, pixels.
        codec: (N,) uint8, a :class:`~fastload.store.Codec`.
        orientation: (N,) uint8, the source's EXIF orientation (1 to 8, 0 where it says none);
            informative, the pixels are not turned.
        crc32c: (N,) uint32, of the record's bytes.
        perceptual_hash: (N,) uint64.
    """

    shard: NDArray[np.uint32]
    offset: NDArray[np.uint64]
    length: NDArray[np.uint32]
    width: NDArray[np.uint32]
    height: NDArray[np.uint32]
    codec: NDArray[np.uint8]
    orientation: NDArray[np.uint8]
    crc32c: NDArray[np.uint32]
    perceptual_hash: NDArray[np.uint64]

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self._where = str(path)
        self._manifest = manifest
        self._unannounced = _DCT & (DCT_RECORDS not in manifest.features)
        batch = self._batch(path)
        self._unchecked: dict[str, NDArray[Any]] = {}
        for name in _COLUMNS:
            column = _as_array(batch.column(name))
            if name in ("label", "listing"):
                self._unchecked[name] = column
            else:
                setattr(self, name, column)
        _, ends, text = batch.column("path").buffers()
        self._path_ends = np.frombuffer(ends, np.int64, len(batch) + 1)
        self._path_bytes = memoryview(text) if text is not None else memoryview(b"")

    def __len__(self) -> int:
        return len(self.shard)

    @cached_property
    def label(self) -> NDArray[np.uint32]:
        """(N,) uint32, the class of each record; all 0 where the images have no classes.

        Raises:
            PackError: a label has no class, or a class another number of records than declared.
        """
        labels: NDArray[np.uint32] = self._unchecked["label"]
        counts = self._counts()
        found = np.zeros(len(counts), np.int64)
        for start in range(0, len(labels), _STEP):
            step = labels[start : start + _STEP]
            if int(step.max()) >= len(counts):
                record = start + int(step.argmax())
                raise self._refuse(
                    f"record {record} has label {int(step.max())} of {len(counts)} classes"
                )
            found += np.bincount(step, minlength=len(counts))
        release_pages(labels)
        if not np.array_equal(found, counts):
            label = int(np.flatnonzero(found != counts)[0])
            raise self._refuse(
                f"class {label} has {found[label]} records, {counts[label]} are declared"
            )
        return labels

    def _counts(self) -> NDArray[np.int64]:
        if self._manifest.unlabelled:
            return np.array([len(self)], np.int64)
        return np.array([entry.count for entry in self._manifest.classes], np.int64)

    @cached_property
    def listing(self) -> NDArray[np.uint64]:
        """(N,) uint64, the record id of each sample in ImageFolder's order.

        Raises:
            PackError: it is not a permutation of the records, or not sorted by label.
        """
        listing: NDArray[np.uint64] = self._unchecked["listing"]
        labels, before = self.label, 0
        seen = np.zeros(len(listing), np.bool_)
        for start in range(0, len(listing), _STEP):
            step = listing[start : start + _STEP]
            if int(step.max()) >= len(listing):
                raise self._refuse(f"the listing names record {int(step.max())} of {len(listing)}")
            seen[step] = True
            step_labels = labels[step]
            if int(step_labels[0]) < before or bool((step_labels[1:] < step_labels[:-1]).any()):
                raise self._refuse("the listing is not in the order of the classes")
            before = int(step_labels[-1])
        release_pages(listing, labels)
        if not seen.all():
            raise self._refuse(f"the listing leaves out record {int(seen.argmin())}")
        return listing

    def path(self, record: int) -> str:
        """Path of a record under the label folder, as found on disk (``os.fsdecode``'s form).

        Raises:
            IndexError: there is no such record.
            PackError: the path's place in the index is damaged.
        """
        if not 0 <= record < len(self):
            raise IndexError(f"record {record} of {len(self)}")
        start, end = int(self._path_ends[record]), int(self._path_ends[record + 1])
        if not 0 <= start <= end <= len(self._path_bytes):
            raise self._refuse(f"the path of record {record} lies outside the index")
        return bytes(self._path_bytes[start:end]).decode("utf-8", "surrogateescape")

    def paths(self, records: Iterable[int]) -> list[str]:
        """Paths of several records, see :meth:`path`."""
        return [self.path(int(record)) for record in records]

    def check_places(self, shard: int, first: int, last: int, size: int) -> None:
        """Check that the records ``first`` to ``last - 1`` lie inside a shard.

        Args:
            shard: the shard's number.
            first: its first record.
            last: one past its last record.
            size: bytes of its file.

        Raises:
            PackError: one of them has a :meth:`fault`.
        """
        for record, fault in self.faults(shard, first, last, size):
            raise self._refuse(f"record {record} {fault}")

    def faults(self, shard: int, first: int, last: int, size: int) -> Iterator[tuple[int, str]]:
        """The records ``first`` to ``last - 1`` whose rows cannot be trusted, and why.

        A row is at fault that names another shard, bytes outside the shard's file, no bytes, no
        pixels, or a codec that this version does not know or that ``pack.json`` does not announce.
        """
        for start in range(first, last, _STEP):
            rows = slice(start, min(start + _STEP, last))
            shards, offsets, lengths = self.shard[rows], self.offset[rows], self.length[rows]
            widths, heights, codecs = self.width[rows], self.height[rows], self.codec[rows]
            checks = {
                f"is not in shard {shard}": shards != shard,
                f"lies outside its shard ({size} bytes)": (offsets > size)
                | (lengths > size - np.minimum(offsets, np.uint64(size))),
                "is empty": lengths == 0,
                "has no pixels": (widths == 0) | (heights == 0),
                "has a codec that this fastload does not know": ~_KNOWN[codecs],
                "has the codec dct, which pack.json does not announce": self._unannounced[codecs],
            }
            for fault, where in checks.items():
                for record in np.flatnonzero(where).tolist():
                    yield start + record, fault
        rows = slice(first, last)
        release_pages(self.shard[rows], self.offset[rows], self.length[rows])
        release_pages(self.width[rows], self.height[rows], self.codec[rows])

    def _refuse(self, reason: str) -> PackError:
        return PackError(
            f"{self._where}: {reason}. The index is damaged: restore it from a copy, "
            "or pack the label folder again."
        )

    def _batch(self, path: Path) -> pa.RecordBatch:
        declared = self._manifest.index.size
        try:
            size = path.stat().st_size
        except FileNotFoundError as error:
            raise self._refuse("the file is missing") from error
        if size != declared:
            raise self._refuse(f"the file has {size} bytes, {declared} are declared")
        try:
            mapped = pa.py_buffer(map_file(path))
            reader = pa.ipc.open_file(mapped)
            batches = reader.num_record_batches
            batch = reader.get_batch(0) if batches == 1 else None
        except (pa.ArrowException, OSError) as error:
            raise self._refuse(f"not an Arrow file ({error})") from error
        if batch is None:
            raise self._refuse(f"{batches} record batches instead of one")
        self._check_columns(batch, mapped)
        return batch

    def _check_columns(self, batch: pa.RecordBatch, mapped: pa.Buffer) -> None:
        for field in index_schema(binary_paths=BINARY_PATHS in self._manifest.features):
            number = batch.schema.get_field_index(field.name)
            if number < 0 or batch.schema.field(number).type != field.type:
                raise self._refuse(f"no column {field.name!r} of type {field.type}")
            column = batch.column(number)
            try:
                column.validate()
            except pa.ArrowException as error:
                raise self._refuse(f"column {field.name!r}: {error}") from error
            if column.null_count:
                raise self._refuse(f"column {field.name!r} has nulls")
            for buffer in column.buffers():
                if buffer is not None and buffer.size and not _inside(buffer, mapped):
                    raise self._refuse(f"column {field.name!r} is compressed")
        if batch.num_rows != self._manifest.records:
            raise self._refuse(
                f"{batch.num_rows} rows, {self._manifest.records} records are declared"
            )


def _as_array(column: pa.Array) -> NDArray[Any]:
    """A column of integers without nulls, not copied; its own to_numpy would import pandas."""
    dtype = np.dtype(str(column.type))
    if not len(column):
        return np.empty(0, dtype)
    start = column.offset * dtype.itemsize
    return np.frombuffer(column.buffers()[1], dtype, len(column), start)


def _inside(buffer: pa.Buffer, mapped: pa.Buffer) -> bool:
    end = mapped.address + mapped.size
    return bool(mapped.address <= buffer.address and buffer.address + buffer.size <= end)
