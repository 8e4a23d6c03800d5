"""Packing a folder: what of it decides the pack's bytes, and whether it is packed already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastload.errors import PackError
from fastload.native import library as native
from fastload.pack.commit import commit, psnr_summary, writer_versions
from fastload.pack.encode import encode_file, load_plugins
from fastload.pack.flow import Report, write_pack
from fastload.pack.rejected import REJECTED_NAME, rejected_csv
from fastload.pack.scan import scan, scan_unlabelled
from fastload.pack.target import differing_options, finished_pack, keep, refuse_inside
from fastload.store.manifest import Source

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from fastload.pack.encode import Encoded, Rejected
    from fastload.pack.flow import Progress, Written
    from fastload.pack.options import Options
    from fastload.pack.scan import Listing
    from fastload.store.manifest import Manifest, ShardEntry

__all__ = ["pack_folder"]


def pack_folder(
    source: str | os.PathLike[str],
    root: Path,
    options: Options,
    *,
    workers: int,
    strict: bool,
    allow_empty: bool,
    unlabelled: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Pack a folder; see :func:`fastload.pack.pack`."""
    listing = scan_unlabelled(source) if unlabelled else scan(source, allow_empty=allow_empty)
    refuse_inside(root, listing.root, "label folder")
    existing = finished_pack(root)
    if existing is not None:
        keep(existing, _differing(existing.manifest, listing, options))
        if strict and existing.manifest.source.rejected:
            raise PackError(
                f"{root} leaves out {existing.manifest.source.rejected} files (named in "
                f"{REJECTED_NAME}), which --strict does not allow. Repair or remove them, remove "
                "the pack, and pack again."
            )
        return Report(root, existing.manifest, already_packed=True)
    load_plugins()
    return write_pack(root, _FolderWork(listing, options, strict=strict), workers, progress)


class _FolderWork:
    """The files of a folder, in an order that spreads the classes over the shards."""

    before: tuple[ShardEntry, ...] = ()
    starts: frozenset[int] = frozenset()

    def __init__(self, listing: Listing, options: Options, *, strict: bool) -> None:
        self.listing = listing
        self.order = native.permutation(options.seed, 0, len(listing))
        self.job = {
            "command": "pack",
            **options.to_json(),
            **{f"{name} version": version for name, version in writer_versions().items()},
            "listing": listing.state(),
        }
        self.shard_size = options.shard_size
        self.cls = options.cls
        self.strict = strict
        self._options = options
        self._root = str(listing.root)

    def encode(self, place: int) -> Encoded | Rejected:
        path, size = self.listing.paths[place], int(self.listing.sizes[place])
        return encode_file(f"{self._root}/{path}", size, self._options)

    def commit(self, root: Path, written: Written) -> Manifest:
        if written.rejected and not written.shards:
            place, reason = written.rejected[0]
            raise PackError(
                f"None of the {len(self.listing)} files is an image that can be read; the first: "
                f"{self.listing.paths[place]}: {reason}."
            )
        return commit(
            root,
            self.listing,
            written,
            source=Source(
                files=len(self.listing),
                bytes=int(self.listing.sizes.sum()),
                rejected=len(written.rejected),
                fingerprint=self.listing.fingerprint(),
            ),
            options=self._options.to_json(),
            rejected=rejected_csv(
                [(self.listing.paths[place], reason) for place, reason in written.rejected]
            ),
            measured=psnr_summary(written.rows["psnr"]),
            writer=writer_versions(),
        )


def _differing(manifest: Manifest, listing: Listing, options: Options) -> list[str]:
    # Packs of format version 1.0 tell no codec.
    told = differing_options(options.to_json(), {"codec": "jpeg", **manifest.options})
    if manifest.source.appended:
        told.append("images (others were appended to it)")
    same_classes = tuple(entry.name for entry in manifest.classes) == listing.classes
    if not same_classes or manifest.source.fingerprint != listing.fingerprint():
        told.append("files (the label folder has changed)")
    return told
