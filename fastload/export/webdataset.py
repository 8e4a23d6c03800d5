"""WebDataset shards: the pack's own where other programs read all of it, else new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastload.export.image_file import image_file
from fastload.export.output import new_folder
from fastload.export.stream import converted
from fastload.pack.write import ShardWriter
from fastload.store import Codec
from fastload.store.codec import member_extension
from fastload.store.shards import SHARDS_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fastload.export.image_file import ImageFile
    from fastload.export.selection import Selection
    from fastload.store import Pack, ShardEntry

__all__ = ["shard_pattern", "shards_of_pack", "unread_by_others", "write_shards"]

# What WebDataset's and DALI's decoders both take.
_FORMATS = frozenset({".jpg", ".png"})


def shard_pattern(folder: Path, shards: int) -> str:
    """The shards as WebDataset wants them named: one pattern for all.

    >>> from pathlib import Path
    >>> shard_pattern(Path("data.pack/shards"), 4), shard_pattern(Path("out"), 1)
    ('data.pack/shards/{00000..00003}.tar', 'out/00000.tar')
    """
    numbers = f"{{00000..{shards - 1:05d}}}" if shards > 1 else "00000"
    return f"{folder}/{numbers}.tar"


def shards_of_pack(pack: Pack) -> str:
    """The pattern of the pack's own shards."""
    return shard_pattern(pack.root / SHARDS_NAME, len(pack.manifest.shards))


def unread_by_others(pack: Pack) -> dict[str, int]:
    """How many members of each kind other programs do not decode: ``{".dct": 10}``."""
    counts = {
        member_extension(codec): int((pack.index.codec == codec).sum())
        for codec in (Codec.DCT, Codec.QOI)
    }
    return {extension: count for extension, count in counts.items() if count}


def write_shards(
    selection: Selection,
    folder: Path,
    shard_size: int,
    workers: int,
    progress: Callable[[int, int, int, int], None],
    *,
    quality: int | None = None,
) -> list[ShardEntry]:
    """Write images to new shards as ``.jpg`` and ``.png``, with ``.cls`` where there are classes.

    Members keep the records' numbers, in the pack's order, which is shuffled.

    Args:
        selection: the images.
        folder: not there yet, or empty.
        shard_size: bytes a shard may have (a single larger image has a shard of its own).
        workers: threads that convert.
        progress: called with how far it is.
        quality: make a JPEG of this quality of what is none.

    Returns:
        The shards.

    Raises:
        PackError: a record is damaged, ``folder`` has something in it, or the disk is full.
    """
    pack = selection.pack

    def convert(record: int) -> tuple[int, ImageFile]:
        return record, image_file(pack, record, quality=quality, formats=_FORMATS)

    with new_folder(folder) as growing:
        shards = _Shards(growing, shard_size, cls=not pack.manifest.unlabelled)
        try:
            for record, file in converted(selection, convert, workers, progress):
                shards.append(record, file, int(pack.index.label[record]))
            return shards.seal()
        except BaseException:
            shards.abandon()
            raise


class _Shards:
    """One shard after the other, each as full as it may be."""

    def __init__(self, folder: Path, limit: int, *, cls: bool) -> None:
        self._folder = folder
        self._limit = limit
        self._cls = cls
        self._sealed: list[ShardEntry] = []
        self._growing = ShardWriter(folder, 0, cls=cls)

    def append(self, record: int, file: ImageFile, label: int) -> None:
        if not self._growing.fits(len(file.data), self._limit):
            self._sealed.append(self._growing.seal())
            self._growing = ShardWriter(self._folder, len(self._sealed), cls=self._cls)
        self._growing.append(record, file.extension, file.data, label)

    def seal(self) -> list[ShardEntry]:
        return [*self._sealed, self._growing.seal()]

    def abandon(self) -> None:
        self._growing.abandon()
