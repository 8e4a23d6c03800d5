"""What is appended to a pack: each file encoded, known from the pack, or given a place in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fastload.native import library as native
from fastload.pack.commit import commit, joined_psnr, psnr_summary, writer_versions
from fastload.pack.duplicate import Duplicate, StoredBytes
from fastload.pack.encode import Rejected, encode_file
from fastload.pack.options import Options
from fastload.pack.rejected import read_rejected, rejected_csv
from fastload.pack.resemblance import nearest_records
from fastload.pack.union import free_names, is_renaming, union
from fastload.store.manifest import AppendedSource
from fastload.store.pack import open_pack

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fastload.pack.encode import Encoded
    from fastload.pack.flow import Written
    from fastload.pack.scan import Listing
    from fastload.store.manifest import Manifest
    from fastload.store.pack import Pack

__all__ = ["AddedImages", "Match"]


@dataclass(frozen=True)
class Match:
    """A file and the record of the pack that it is the same image as, or resembles.

    Attributes:
        path: of the file, relative to its folder.
        other: path of the record.
        contradicts: they are of different classes.
    """

    path: str
    other: str
    contradicts: bool


class AddedImages:
    """The files of a folder, in an order of their own, behind the records of a pack.

    Args:
        pack: that they are appended to.
        listing: the files, with the pack's labels.
        keep_duplicates: files are added that the pack has already under another path.
        strict: a file that is rejected is an error.

    Attributes:
        near: files that resemble an image of the pack, by their perceptual hashes; known once they
            are committed.
        names: of each file whose path belonged to another image its path in the pack; likewise.
    """

    def __init__(
        self, pack: Pack, listing: Listing, *, keep_duplicates: bool, strict: bool
    ) -> None:
        manifest = pack.manifest
        self._options = Options.from_json(manifest.options, str(pack.root))
        self.listing = listing
        self.order = native.permutation(
            self._options.seed, len(manifest.source.appended) + 1, len(listing)
        )
        self.job = {
            "command": "append",
            "keep_duplicates": keep_duplicates,
            **{f"{name} version": version for name, version in writer_versions().items()},
            "listing": listing.state(),
            "pack": hashlib.sha256(manifest.to_json()).hexdigest(),
        }
        self.shard_size = self._options.shard_size
        self.cls = self._options.cls
        self.strict = strict
        self.before = manifest.shards
        self.starts: frozenset[int] = frozenset()
        self._pack = pack
        self._root = str(listing.root)
        self._keep_duplicates = keep_duplicates
        self._rejected_before = read_rejected(pack.root, manifest.source)
        self._stored = StoredBytes(pack)
        self._taken = _taken(pack, listing)
        self.names: dict[str, str] = {}
        self.near: list[Match] = []

    def encode(self, place: int) -> Encoded | Rejected | Duplicate:
        """The record of a file, or the record of the pack that it is already."""
        path, size = self.listing.paths[place], int(self.listing.sizes[place])
        outcome = encode_file(f"{self._root}/{path}", size, self._options)
        if isinstance(outcome, Rejected):
            return outcome
        same = self._stored.same(outcome.payload, outcome.crc32c)
        there = [record for record in same if self._is_there(record, path)]
        if there:
            return Duplicate(there[0])
        if not same or self._keep_duplicates:
            return outcome
        return Duplicate(self._closest(place, same))

    def commit(self, root: Path, written: Written) -> Manifest:
        """Write the new index, ``rejected.csv`` and, last, the new ``pack.json``."""
        before = self._pack.manifest
        places = written.rows["source"].tolist()
        self.names = self._free_names(places)
        self.near = self._resembling(written.rows)
        listing, rows = union(self._pack, self.listing, written.rows, self.names)
        return commit(
            root,
            listing,
            replace(written, shards=[*before.shards, *written.shards], rows=rows),
            source=replace(
                before.source, appended=(*before.source.appended, self._source(written))
            ),
            options=before.options,
            rejected=rejected_csv([*self._rejected_before, *self.rejected(written)]),
            measured=joined_psnr(before.measured, psnr_summary(written.rows["psnr"])),
            writer=before.writer,
        )

    def kept_duplicates(self, root: Path, written: Written) -> list[Match]:
        """The files that were added although the pack had them already.

        Args:
            root: the pack, committed.
            written: what was added.
        """
        now = open_pack(root)
        first = len(self._pack)
        found = []
        for record, place in enumerate(written.rows["source"].tolist(), first):
            same = self._stored.same(now.payload(record), int(now.index.crc32c[record]))
            if same:
                found.append((place, self._closest(place, same)))
        return [self._match(place, record) for place, record in sorted(found)]

    def duplicates(self, written: Written) -> list[Match]:
        """The files that were left out because the pack has them."""
        return [self._match(place, record) for place, record in written.duplicates]

    def rejected(self, written: Written) -> list[tuple[str, str]]:
        """(path, reason) of the files that cannot be read."""
        return [(self.listing.paths[place], reason) for place, reason in written.rejected]

    def _is_there(self, record: int, path: str) -> bool:
        """Whether a record is the image of this path, added before, perhaps under a free name."""
        stored = self._pack.index.path(record)
        return stored == path or (path in self._taken and is_renaming(stored, path))

    def _closest(self, place: int, records: list[int]) -> int:
        """The first of the records, one of the same class where there is one."""
        label = int(self.listing.labels[place])
        labels = self._pack.index.label
        return next((record for record in records if labels[record] == label), records[0])

    def _free_names(self, places: list[int]) -> dict[str, str]:
        paths = [self.listing.paths[place] for place in sorted(places)]
        colliding = [path for path in paths if path in self._taken]
        if not colliding:
            return {}
        stored = self._pack.index.paths(range(len(self._pack)))
        return free_names(colliding, {*stored, *self.listing.paths})

    def _resembling(self, rows: NDArray[np.void]) -> list[Match]:
        places = rows["source"].astype(np.int64)
        hashes = np.ascontiguousarray(rows["perceptual_hash"])
        nearest = nearest_records(hashes, self.listing.labels[places], self._pack.index)
        pairs = sorted(zip(places.tolist(), nearest.tolist(), strict=True))
        return [self._match(place, record) for place, record in pairs if record >= 0]

    def _match(self, place: int, record: int) -> Match:
        index = self._pack.index
        contradicts = bool(self.listing.labels[place] != index.label[record])
        return Match(self.listing.paths[place], index.path(record), contradicts)

    def _source(self, written: Written) -> AppendedSource:
        return AppendedSource(
            files=len(self.listing),
            bytes=int(self.listing.sizes.sum()),
            records=len(written.rows),
            duplicates=len(written.duplicates),
            rejected=len(written.rejected),
            fingerprint=self.listing.fingerprint(),
            writer=writer_versions(),
        )


def _taken(pack: Pack, listing: Listing) -> frozenset[str]:
    """The paths that both have."""
    return frozenset(listing.paths).intersection(pack.index.paths(range(len(pack))))
