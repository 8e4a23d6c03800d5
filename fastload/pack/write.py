"""One shard being written: members appended in order, hashed as they pass."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

from fastload.store.durable import TEMPORARY, publish
from fastload.store.manifest import ShardEntry, shard_name
from fastload.store.ustar import BLOCK, END_OF_ARCHIVE, header, padding

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ShardWriter", "member_size"]


def member_size(payload: int, *, cls: bool) -> int:
    """Bytes that a record takes in a shard: header, payload, padding, and its label's member.

    >>> member_size(1000, cls=True)
    2560
    """
    return BLOCK + payload + -payload % BLOCK + (2 * BLOCK if cls else 0)


class ShardWriter:
    """Writes ``shards/<number>.tar``.

    Args:
        folder: the pack's ``shards`` folder.
        number: of the shard.
        cls: each record is followed by a member that holds its label.

    Attributes:
        number: of the shard.
        records: how many it holds so far.
    """

    def __init__(self, folder: Path, number: int, *, cls: bool) -> None:
        self.number = number
        self.records = 0
        self._path = folder / shard_name(number)
        self._cls = cls
        self._file = self._path.with_name(self._path.name + TEMPORARY).open("wb")
        self._digest = hashlib.sha256()
        self._size = 0

    def fits(self, payload: int, limit: int) -> bool:
        """Whether a record of ``payload`` bytes leaves the shard within ``limit`` bytes."""
        grown = self._size + member_size(payload, cls=self._cls) + len(END_OF_ARCHIVE)
        return self.records == 0 or grown <= limit

    def append(self, record: int, extension: str, payload: bytes | memoryview, label: int) -> int:
        """Append one record.

        Args:
            record: its id, which alone names the members.
            extension: of the member, with the dot.
            payload: its bytes.
            label: its class.

        Returns:
            Where the payload begins, in bytes from the start of the shard.
        """
        key = b"%09d" % record
        parts = [header(key + extension.encode(), len(payload)), payload, padding(len(payload))]
        if self._cls:
            digits = b"%d" % label
            parts += [header(key + b".cls", len(digits)), digits, padding(len(digits))]
        offset = self._size + BLOCK
        self._write(b"".join(parts))
        self.records += 1
        return offset

    def seal(self) -> ShardEntry:
        """End the archive and give the file its name, durably."""
        self._write(END_OF_ARCHIVE)
        with self._file:
            publish(self._file, self._path)
        return ShardEntry(self._path.name, self._size, self._digest.hexdigest(), self.records)

    def abandon(self) -> None:
        """Close and remove the unfinished file."""
        with contextlib.suppress(OSError):
            # A full disk refuses the buffered bytes once more; the file is closed all the same.
            self._file.close()
        self._path.with_name(self._path.name + TEMPORARY).unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self._size += len(data)
