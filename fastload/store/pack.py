"""A pack, opened for reading."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastload.errors import PackError
from fastload.native.library import crc32c
from fastload.store.index import Index
from fastload.store.manifest import MANIFEST_NAME, Manifest
from fastload.store.shards import SHARDS_NAME, Shards

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["Pack", "open_pack"]


class Pack:
    """The records of a pack, its classes and its index; nothing is read before it is asked for.

    Picklable (it is opened again by its path) and safe to use after a fork and from many threads.

    Attributes:
        root: the pack's folder.
        manifest: what ``pack.json`` says.
        index: the columns of the index.
        classes: the names of the class folders, as ImageFolder shows them.
        class_to_idx: label of each name.
    """

    def __init__(self, root: Path, manifest: Manifest, index: Index) -> None:
        self.root = root
        self.manifest = manifest
        self.index = index
        self.classes = [entry.name for entry in manifest.classes]
        self.class_to_idx = {name: label for label, name in enumerate(self.classes)}
        # Shards are mapped, and copies of this object opened, after the working folder may have
        # changed.
        self._location = root.absolute()
        self._shards = Shards(self._location / SHARDS_NAME, manifest, index)

    @property
    def location(self) -> Path:
        """The pack's folder, wherever the process has gone since."""
        return self._location

    def __len__(self) -> int:
        return len(self.index)

    def __repr__(self) -> str:
        return f"Pack({str(self.root)!r}, {len(self)} records, {len(self.classes)} classes)"

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return _open_same, (str(self._location), self.manifest.index.sha256)

    @property
    def index_file(self) -> Path:
        """The file of the index."""
        return self._location / self.manifest.index.name

    def class_name(self, record: int) -> str | None:
        """Name of a record's class, None where the images have no classes.

        Raises:
            PackError: the labels are damaged.
        """
        label = self.index.label[record]
        return None if self.manifest.unlabelled else self.classes[label]

    def targets(self, records: NDArray[np.int64]) -> NDArray[np.int64]:
        """The labels of records as a loss takes them.

        Args:
            records: (n,) record ids.

        Returns:
            (n,) the classes, -1 where the images have none: a loss refuses it.
        """
        labels = self.index.label[records].astype(np.int64)
        return np.full_like(labels, -1) if self.manifest.unlabelled else labels

    def payload(self, record: int) -> memoryview:
        """The stored bytes of one record, a view of the mapped shard.

        Raises:
            IndexError: there is no such record.
            PackError: its shard is missing or damaged.
        """
        if not 0 <= record < len(self):
            raise IndexError(f"record {record} of {len(self)}")
        mapped = self._shards.map(self._shards.shard_of(record))
        offset = int(self.index.offset[record])
        return mapped[offset : offset + int(self.index.length[record])]

    def sound_payload(self, record: int) -> memoryview:
        """The stored bytes of one record, their checksum found right.

        Raises:
            IndexError: there is no such record.
            PackError: it or its shard is damaged.
        """
        payload = self.payload(record)
        if crc32c(payload) != int(self.index.crc32c[record]):
            raise self.damaged(record, "CRC-32C differs")
        return payload

    def damaged(self, record: int, reason: str) -> PackError:
        """The error that tells of a damaged record.

        Args:
            record: its id.
            reason: what is wrong with it.
        """
        return PackError(
            f"{self.root}: {self.describe(record)} is damaged ({reason}). Run `fastload verify "
            "--decode` for the whole list, and restore the shard from a copy."
        )

    def locate(self, records: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """Where the bytes of records lie in this process's memory.

        Args:
            records: (n,) record ids, each at least 0 and below ``len(self)``.

        Returns:
            (n,) addresses, uint64, valid while this object lives, and (n,) lengths in bytes.

        Raises:
            IndexError: there is no such record.
            PackError: a shard is missing or damaged.
        """
        if len(records) and (int(records.min()) < 0 or int(records.max()) >= len(self)):
            raise IndexError(f"records {records.min()} to {records.max()} of {len(self)}")
        return self._shards.locate(records)

    def shard_file(self, shard: int) -> Path:
        """The tar file of a shard."""
        return self._shards.path(shard)

    def shard_name(self, record: int) -> str:
        """The tar file that holds a record, relative to the pack."""
        return f"{SHARDS_NAME}/{self._shards.path(self._shards.shard_of(record)).name}"

    def shard_records(self, shard: int) -> range:
        """The record ids a shard holds."""
        first, last = self._shards.first_records[shard : shard + 2].tolist()
        return range(first, last)

    def map_shard(self, shard: int) -> memoryview:
        """The whole file of a shard.

        Raises:
            PackError: it is missing, has another size than declared, or the index points outside.
        """
        return self._shards.map(shard)

    def describe(self, record: int) -> str:
        """A record in words, for messages: id, path, shard and place."""
        return (
            f"record {record} ({self.index.path(record)}, {self.shard_name(record)} at byte "
            f"{int(self.index.offset[record])})"
        )


def open_pack(path: str | os.PathLike[str]) -> Pack:
    """Open a pack: read its manifest, map its index; the shards are mapped when asked for.

    Args:
        path: the folder that ``fastload pack`` wrote.

    Raises:
        FileNotFoundError: there is no such folder.
        PackError: the folder is not a pack, is half written, damaged, or newer than this fastload.
    """
    root = Path(path)
    if not root.exists():
        raise FileNotFoundError(
            f"No pack at {root}: there is no such folder. `fastload pack` makes one of a label "
            "folder."
        )
    manifest_file = root / MANIFEST_NAME
    try:
        data = manifest_file.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _not_a_pack(root) from error
    while True:
        manifest = Manifest.from_json(data, str(manifest_file))
        try:
            return Pack(root, manifest, Index(root / manifest.index.name, manifest))
        except PackError:
            # An append that ended just now has removed the index of the state before.
            before, data = data, manifest_file.read_bytes()
            if data == before:
                raise


def _open_same(path: str, index_sha256: str) -> Pack:
    """Open the pack that was pickled, which may have been appended to since."""
    pack = open_pack(path)
    if pack.manifest.index.sha256 != index_sha256:
        raise PackError(
            f"{path} has changed since it was opened (images were appended, or it was written "
            "again): the numbers of its samples are others now. Open it anew in the first process."
        )
    return pack


def _not_a_pack(root: Path) -> PackError:
    if (root / ".progress").is_dir():
        return PackError(
            f"{root} is a half-written pack: run the `fastload` command that began it again, it "
            "goes on where it stopped."
        )
    return PackError(
        f"{root} is not a pack (it has no {MANIFEST_NAME}). "
        f"If it is a label folder, run `fastload pack {root}` first."
    )
