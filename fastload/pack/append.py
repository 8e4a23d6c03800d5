"""Images added to a pack: new shards behind the old ones, a new index, and one step that counts.

``pack.json`` names the index, so replacing it takes the pack from the old state to the new one.
Until then the new shards and the new index are files that no reader looks at.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastload.cpus import usable_cpus
from fastload.errors import PackError
from fastload.pack.added import AddedImages
from fastload.pack.encode import load_plugins
from fastload.pack.flow import write_shards
from fastload.pack.journal import INDEX_FILE, Journal
from fastload.pack.scan import SUPPORTED, scan, scan_unlabelled
from fastload.pack.target import disk_named, lost_shard
from fastload.store.durable import sync_folder
from fastload.store.mapping import map_file
from fastload.store.nearest import nearest_name
from fastload.store.pack import open_pack
from fastload.words import display_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastload.pack.added import Match
    from fastload.pack.flow import Progress
    from fastload.pack.scan import Listing
    from fastload.store.manifest import Manifest
    from fastload.store.pack import Pack

__all__ = ["AppendJournal", "AppendReport", "append"]


@dataclass(frozen=True)
class AppendReport:
    """What came of it.

    Attributes:
        path: the pack.
        manifest: of the pack, as it is now.
        added: images added; where it is 0 the pack was not changed.
        duplicates: files left out because the pack has the same image.
        kept_duplicates: files added although the pack has the same image.
        near: files added that resemble an image of the pack, by their perceptual hashes.
        renamed: (path, path in the pack) of files whose path belonged to another image.
        rejected: (path, reason) of files that cannot be read.
        seconds: the time it took.
        files_now: files encoded in this run; fewer than there are where it was resumed.
    """

    path: Path
    manifest: Manifest
    added: int = 0
    duplicates: list[Match] = field(default_factory=list)
    kept_duplicates: list[Match] = field(default_factory=list)
    near: list[Match] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    files_now: int = 0


def append(
    pack: str | os.PathLike[str],
    source: str | os.PathLike[str],
    *,
    keep_duplicates: bool = False,
    strict: bool = False,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> AppendReport:
    """Add the images of a label folder to the classes of a pack.

    They are stored as the pack's own options say. Readers see the pack as it was until the last
    step, and an interrupted append goes on when called again with the same arguments. A file whose
    path belongs to another image of the pack gets another name, ``~2`` before its extension.

    Args:
        pack: the pack's folder.
        source: a label folder with no other classes than the pack's; for an unlabelled pack any
            folder of images.
        keep_duplicates: add images that the pack has already under another path.
        strict: a file that cannot be read is an error; otherwise it is left out and listed in
            ``rejected.csv``.
        workers: threads that encode; the usable CPUs by default.
        progress: called now and then with how far it is.

    Raises:
        FileNotFoundError: a folder is missing, or there is no image in ``source``.
        NotADirectoryError: ``source`` is a file.
        ValueError: ``workers`` is less than 1.
        PackError: ``pack`` is no pack or is damaged, a class is not in it, another process appends
            to it, it cannot be written, the disk is full, a file changed meanwhile, or ``strict``
            met a file that cannot be read.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"--workers is {workers}, it takes 1 or more")
    began = time.monotonic()
    root = Path(pack).expanduser()
    # All that can be refused is refused before anything is written.
    opened = _sound_pack(root)
    listing = _listing(opened, source)
    work = AddedImages(opened, listing, keep_duplicates=keep_duplicates, strict=strict)
    load_plugins()
    with (
        disk_named(root, "the pack is whole", "it needs the right to write there"),
        contextlib.closing(AppendJournal(root)) as journal,
    ):
        if open_pack(root).manifest != opened.manifest:
            # Another append ended before this one held the journal.
            opened = _sound_pack(root)
            listing = _labelled_as(opened, listing)
            work = AddedImages(opened, listing, keep_duplicates=keep_duplicates, strict=strict)
        written, files_now = write_shards(root, work, journal, workers or usable_cpus(), progress)
        manifest = work.commit(root, written) if len(written.rows) else opened.manifest
        _remove_other_indexes(root, manifest.index.name)
        journal.remove()
    kept = work.kept_duplicates(root, written) if keep_duplicates else []
    kept_paths = {match.path for match in kept}
    return AppendReport(
        path=root,
        manifest=manifest,
        added=len(written.rows),
        duplicates=work.duplicates(written),
        kept_duplicates=kept,
        near=[match for match in work.near if match.path not in kept_paths],
        renamed=list(work.names.items()),
        rejected=work.rejected(written),
        seconds=time.monotonic() - began,
        files_now=files_now,
    )


class AppendJournal(Journal):
    """What a half-done append remembers; one of other images or of a committed one is forgotten."""

    name: ClassVar[str] = ".appending"
    busy_advice: ClassVar[str] = "Wait for it, and run the command again."

    def _agree(self, path: Path, job: dict[str, Any]) -> None:
        try:
            super()._agree(path, job)
        except PackError:
            path.unlink()
            self._start(path, job)


def _sound_pack(root: Path) -> Pack:
    """The pack, its files there and its index as it was written: the new one is made from it."""
    pack = open_pack(root)
    lost = lost_shard(pack)
    digest = hashlib.sha256(map_file(pack.index_file)).hexdigest()
    if lost is not None or digest != pack.manifest.index.sha256:
        raise PackError(
            f"{lost or pack.index_file} is missing or damaged. Run `fastload verify {root}` and "
            "restore the file from a copy before anything is appended."
        )
    return pack


def _listing(pack: Pack, source: str | os.PathLike[str]) -> Listing:
    """The files of the folder, with the labels that their classes have in the pack."""
    if pack.manifest.unlabelled:
        return scan_unlabelled(source)
    listing = scan(source, allow_empty=True)
    labelled = _labelled_as(pack, listing)
    if not len(listing):
        raise FileNotFoundError(f"Found no valid file in {listing.root}. {SUPPORTED}")
    return labelled


def _labelled_as(pack: Pack, listing: Listing) -> Listing:
    if pack.manifest.unlabelled:
        return listing
    unknown = [name for name in listing.classes if name not in pack.class_to_idx]
    if unknown:
        raise PackError(
            f"{listing.root} has {', '.join(_with_nearest(name, pack.classes) for name in unknown)}"
            f" and {pack.root} has no such class. Labels of the pack cannot change, so images are "
            "added to classes that are there: rename the folder, or pack all images anew."
        )
    labels = np.array([pack.class_to_idx[name] for name in listing.classes], np.uint32)
    return replace(listing, classes=tuple(pack.classes), labels=labels[listing.labels])


def _with_nearest(name: str, classes: Sequence[str]) -> str:
    readable = {display_name(known): known for known in classes}
    nearest = nearest_name(display_name(name), readable)
    if nearest is None:
        return f"the class folder {name!r}"
    if nearest == display_name(name):
        return f"the class folder {name!r} (in the pack {readable[nearest]!r}, in other bytes)"
    return f"the class folder {name!r} (is it {readable[nearest]!r}?)"


def _remove_other_indexes(root: Path, kept: str) -> None:
    """Remove the index of the state before; who has it mapped keeps it."""
    others = [path for path in root.iterdir() if INDEX_FILE.fullmatch(path.name)]
    for path in others:
        if path.name != kept:
            path.unlink()
    sync_folder(root)
