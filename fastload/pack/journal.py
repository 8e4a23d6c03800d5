"""What a half-written pack remembers, in ``.progress/``: its options and its finished shards.

``options.json`` says what is being packed and how; ``00000.arrow`` is the record of shard 0: its
index rows, the files rejected on the way, the position in the order at which the next shard goes
on, its size and hash. A shard without its record does not count and is written again.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from fastload.errors import PackError
from fastload.store.durable import TEMPORARY, sync_folder, write_file
from fastload.store.manifest import ShardEntry
from fastload.store.shards import SHARDS_NAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["INDEX_FILE", "JOURNAL_NAME", "ROW", "Journal", "ShardRecord"]

JOURNAL_NAME = ".progress"
LOCK_NAME = "lock"

# The index of any state of a pack.
INDEX_FILE = re.compile(r"index(?:-\d+)?\.arrow")
# What a run may leave; a pack that is appended to may have files of other programs beside.
_SHARD = re.compile(rf"(\d{{5,}})\.tar(?:{re.escape(TEMPORARY)})?")
_TEMPORARY_OF_PACK = re.compile(
    rf"(?:{INDEX_FILE.pattern}|pack\.json|rejected\.csv){re.escape(TEMPORARY)}"
)

# Keys of a job that are hashes of what is written, in words.
_CHANGED = {
    "listing": "the files of the label folder have changed",
    "pack": "the pack that is recoded has changed",
}

# A row of the index before the whole listing is known: "source" is the file's place in it.
ROW = np.dtype(
    [
        ("source", "<u8"),
        ("offset", "<u8"),
        ("length", "<u4"),
        ("width", "<u4"),
        ("height", "<u4"),
        ("codec", "u1"),
        ("orientation", "u1"),
        ("crc32c", "<u4"),
        ("perceptual_hash", "<u8"),
        ("psnr", "<f8"),
    ]
)


@dataclass(frozen=True)
class ShardRecord:
    """A finished shard.

    Attributes:
        entry: its name, size, hash and number of records.
        rows: (records,) of dtype ``ROW``.
        rejected: (place in the listing, reason) of the files left out since the shard before.
        duplicates: (place in the listing, record) of those left out, because a pack that is
            appended to has them already.
        following: position in the order of packing at which the next shard begins.
    """

    entry: ShardEntry
    rows: NDArray[np.void]
    rejected: tuple[tuple[int, str], ...]
    duplicates: tuple[tuple[int, int], ...]
    following: int

    def to_arrow(self) -> bytes:
        """The record as an Arrow file."""
        rest = {
            "entry": vars(self.entry),
            "rejected": self.rejected,
            "duplicates": self.duplicates,
            "following": self.following,
        }
        fields = [
            pa.field(name, pa.from_numpy_dtype(ROW[name]), nullable=False) for name in _names()
        ]
        schema = pa.schema(fields, {"record": json.dumps(rest, ensure_ascii=True)})
        columns = [pa.array(np.ascontiguousarray(self.rows[name])) for name in _names()]
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, schema) as writer:
            writer.write_batch(pa.record_batch(columns, schema=schema))
        return bytes(sink.getvalue())

    @staticmethod
    def from_arrow(data: bytes) -> ShardRecord:
        """Read a record back.

        Raises:
            ValueError: the bytes are no such record.
        """
        table = pa.ipc.open_file(pa.py_buffer(data)).read_all()
        rest = json.loads((table.schema.metadata or {})[b"record"])
        rows = np.empty(table.num_rows, ROW)
        for name in _names():
            rows[name] = table.column(name).to_numpy()
        rejected = tuple((place, reason) for place, reason in rest["rejected"])
        duplicates = tuple((place, record) for place, record in rest["duplicates"])
        entry = ShardEntry(**rest["entry"])
        return ShardRecord(entry, rows, rejected, duplicates, rest["following"])


def _names() -> tuple[str, ...]:
    return ROW.names or ()


class Journal:
    """The ``.progress`` folder of one pack, held by one process at a time.

    Args:
        pack: the pack's folder.

    Raises:
        PackError: another process is packing into the folder.
    """

    name: ClassVar[str] = JOURNAL_NAME
    # What to do where another process holds the journal.
    busy_advice: ClassVar[str] = "Wait for it, or choose another folder with --output."

    def __init__(self, pack: Path) -> None:
        self._pack = pack
        self._folder = pack / self.name
        self._lock = self._locked()
        # The process that held the journal before may have removed the file that was opened here.
        while not self._is_there(self._folder / LOCK_NAME):
            self._lock.close()
            self._lock = self._locked()

    def begin(self, job: dict[str, Any], first: int = 0) -> list[ShardRecord]:
        """Go on with what is there, or begin.

        Args:
            job: all that decides the pack's bytes; a half-written pack must have the same.
            first: number of the first shard to write.

        Returns:
            The records of the finished shards, in order; their files are there and as long as they
            were. The others from number ``first`` on are removed.

        Raises:
            PackError: the half-written pack is of another job.
        """
        path = self._folder / "options.json"
        if not path.exists():
            self._start(path, job)
        self._agree(path, job)
        records = self._finished(first)
        self._clean(first, [record.entry.name for record in records])
        return records

    def add(self, number: int, record: ShardRecord) -> None:
        """Remember a finished shard, durably."""
        write_file(self._folder / f"{number:05d}.arrow", record.to_arrow())

    def remove(self) -> None:
        """Forget everything: the pack is finished."""
        lock = self._folder / LOCK_NAME
        for path in self._folder.iterdir():
            if path != lock:
                path.unlink()
        lock.unlink()
        # From here on another process may begin in the same folder.
        try:
            self._folder.rmdir()
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
        sync_folder(self._pack)
        self.close()

    def close(self) -> None:
        """Let another process go on."""
        self._lock.close()

    def _locked(self) -> IO[bytes]:
        while True:
            self._folder.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                lock = (self._folder / LOCK_NAME).open("wb")
                break
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise PackError(
                f"{self._pack} is being written by another process. {self.busy_advice}"
            ) from error
        return lock

    def _is_there(self, path: Path) -> bool:
        try:
            return os.path.samestat(path.stat(), os.fstat(self._lock.fileno()))
        except FileNotFoundError:
            return False

    def _start(self, path: Path, job: dict[str, Any]) -> None:
        self._forget()
        write_file(path, json.dumps(job, indent=1, sort_keys=True).encode() + b"\n")

    def _agree(self, path: Path, job: dict[str, Any]) -> None:
        begun = self._begun(path)
        differing = sorted(
            key for key in job.keys() | begun.keys() if job.get(key) != begun.get(key)
        )
        if differing:
            raise PackError(_other_job(self._pack, begun, job, differing))

    def _begun(self, path: Path) -> dict[str, Any]:
        try:
            begun = json.loads(path.read_bytes())
        except ValueError:
            begun = None
        if not isinstance(begun, dict):
            raise PackError(
                f"{path} is damaged. Remove {self._pack}, or choose another folder with --output."
            )
        return begun

    def _forget(self) -> None:
        """Records whose options are not known are of no use."""
        for path in self._folder.glob("*.arrow"):
            path.unlink()

    def _finished(self, first: int) -> list[ShardRecord]:
        records: list[ShardRecord] = []
        while True:
            path = self._folder / f"{first + len(records):05d}.arrow"
            try:
                record = ShardRecord.from_arrow(path.read_bytes())
                size = (self._pack / SHARDS_NAME / record.entry.name).stat().st_size
            except (FileNotFoundError, ValueError, KeyError, TypeError, pa.ArrowException):
                return records
            if size != record.entry.size:
                return records
            records.append(record)

    def _clean(self, first: int, kept: list[str]) -> None:
        """Remove what an interrupted run left: temporary files, shards without a record."""
        folder = self._pack / SHARDS_NAME
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            shard = _SHARD.fullmatch(path.name)
            if shard and int(shard[1]) >= first and path.name not in kept:
                path.unlink()
        for path in self._pack.iterdir():
            if _TEMPORARY_OF_PACK.fullmatch(path.name):
                path.unlink()
        for path in self._folder.glob(f"*{TEMPORARY}"):
            path.unlink()


def _other_job(pack: Path, begun: dict[str, Any], job: dict[str, Any], keys: list[str]) -> str:
    # Another command's options are not worth a comparison.
    shown = ["command"] if "command" in keys else keys
    told = [
        _CHANGED.get(key) or f"{key} was {begun.get(key)!r}, now {job.get(key)!r}" for key in shown
    ]
    return (
        f"{pack} is half written with other options ({'; '.join(told)}). Run the command that "
        "began it, or remove the folder, or choose another with --output."
    )
