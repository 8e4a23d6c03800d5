"""What is measured on a folder: which of its images, their packs, and where they lie."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fastload.bench.described import describe
from fastload.bench.results import Photos
from fastload.bench.sample import link, sampled
from fastload.errors import FastloadError
from fastload.memory import available_memory
from fastload.pack import pack
from fastload.pack.scan import Listing, scan
from fastload.store import open_pack
from fastload.words import bytes_words, duration_words, name_words

__all__ = ["MOST_IMAGES", "Prepared", "prepare", "prepare_packed"]

MOST_IMAGES = 10_000
"""Of a folder: packed and read in half a minute on a few CPUs."""

# Files and packs have to stay in memory beside the loaders.
_SHARE_OF_MEMORY = 0.2
# Bytes of a pack to those of its files: of PNG files for example it has more, of codec dct twice.
_PACK_RATIO, _DCT_RATIO = 1.5, 2.5


@dataclass(frozen=True)
class Prepared:
    """Images and their packs, ready to be loaded.

    Attributes:
        folder: the label folder that ImageFolder loads.
        photos: what it holds.
        pack: of the same images.
        packing_seconds: that it took; None where it was there already.
        dct_pack: of codec dct; None where none was wanted.
        dct_packing_seconds: that it took.
        in_memory: whether files and packs are in the page cache.
        notes: sentences that a reader has to know.
    """

    folder: Path
    photos: Photos
    pack: Path
    packing_seconds: float | None
    dct_pack: Path | None
    dct_packing_seconds: float | None
    in_memory: bool
    notes: Sequence[str]


def prepare(
    data: Path, scratch: Path, images: int, dct: bool, tell: Callable[[str], None]
) -> Prepared:
    """Choose images of a label folder and pack them in a temporary place.

    Args:
        data: the label folder, which is only read.
        scratch: an empty folder, on a disk with room for packs.
        images: so many at most.
        dct: whether a pack of codec dct is made too.
        tell: told what is going on.

    Raises:
        FastloadError: there is no room, or no image could be packed.
        OSError: the folder cannot be read, or the packs not written.
    """
    listing = scan(data, allow_empty=True)
    chosen = sampled(listing, images, int(_SHARE_OF_MEMORY * available_memory()))
    _check_room(scratch, int(chosen.sizes.sum()) * (_PACK_RATIO + _DCT_RATIO * dct))
    folder = scratch / "images"
    link(chosen, folder)
    tell(f"packing {len(chosen):,} of {len(listing):,} images")
    packed = pack(folder, scratch / "images.pack")
    tell(f"packed in {duration_words(packed.seconds)}")
    notes = _sample_notes(listing, chosen)
    if packed.rejected:
        # ImageFolder would end at the first of them.
        chosen = _without(chosen, {path for path, _ in packed.rejected})
        folder = scratch / "readable"
        link(chosen, folder)
        notes.append(f"Files that cannot be read are left out: {len(packed.rejected):,}.")
    dct_packed = pack(folder, scratch / "images-dct.pack", codec="dct") if dct else None
    return Prepared(
        folder=folder,
        photos=describe(chosen, name_words(data.resolve().name)),
        pack=packed.path,
        packing_seconds=packed.seconds,
        dct_pack=None if dct_packed is None else dct_packed.path,
        dct_packing_seconds=None if dct_packed is None else dct_packed.seconds,
        # Packing has read the files and written the packs.
        in_memory=True,
        notes=notes,
    )


def prepare_packed(
    data: Path, existing: Path, scratch: Path, dct: bool, tell: Callable[[str], None]
) -> Prepared:
    """Take all of a label folder and the pack that was made of it.

    Args:
        data: the label folder.
        existing: its pack.
        scratch: as :func:`prepare` takes it.
        dct: the same.
        tell: the same.

    Raises:
        FastloadError: the pack is of other files, or leaves some out.
        OSError: either cannot be read.
    """
    listing = scan(data, allow_empty=True)
    opened = open_pack(existing)
    if opened.manifest.source.fingerprint != listing.fingerprint():
        raise FastloadError(
            f"{existing} was made of other files than {data} has now: the two cannot be compared. "
            "Pack the folder anew, or leave out --pack."
        )
    if opened.manifest.source.rejected_in_all:
        raise FastloadError(
            f"{existing} leaves out files of {data} that cannot be read; ImageFolder would end at "
            "them. Leave out --pack: a temporary folder without them is measured then."
        )
    if dct:
        _check_room(scratch, float(listing.sizes.sum()) * _DCT_RATIO)
        tell("packing by codec dct")
    dct_packed = pack(data, scratch / "images-dct.pack", codec="dct") if dct else None
    in_memory = bool(listing.sizes.sum() < _SHARE_OF_MEMORY * available_memory())
    if in_memory:
        tell("reading all files once")
        _read(existing, listing)
    return Prepared(
        folder=data,
        photos=describe(listing, name_words(data.resolve().name)),
        pack=existing,
        packing_seconds=None,
        dct_pack=None if dct_packed is None else dct_packed.path,
        dct_packing_seconds=None if dct_packed is None else dct_packed.seconds,
        in_memory=in_memory,
        notes=[] if in_memory else ["The files do not fit into memory: the disk was read from."],
    )


def _check_room(scratch: Path, needed: float) -> None:
    free = shutil.disk_usage(scratch).free
    if free < needed:
        raise FastloadError(
            f"{scratch} has {bytes_words(free)} free, packs may need {bytes_words(needed)}. Set "
            "TMPDIR to a folder on a larger disk, or measure fewer images (--images)."
        )


def _sample_notes(listing: Listing, chosen: Listing) -> list[str]:
    if len(chosen) == len(listing):
        return []
    classes = f"{len(chosen.classes):,} of {len(listing.classes):,} classes"
    return [f"A sample: {len(chosen):,} of {len(listing):,} images, evenly taken, of {classes}."]


def _without(listing: Listing, paths: set[str]) -> Listing:
    kept = [place for place, path in enumerate(listing.paths) if path not in paths]
    if not kept:
        raise FastloadError(f"None of the files of {listing.root} can be read.")
    return replace(
        listing,
        paths=[listing.paths[place] for place in kept],
        labels=listing.labels[kept],
        sizes=listing.sizes[kept],
        mtimes=listing.mtimes[kept],
    )


def _read(pack: Path, listing: Listing) -> None:
    files = [listing.root / path for path in listing.paths]
    for file in (*files, *(file for file in pack.rglob("*") if file.is_file())):
        file.read_bytes()
