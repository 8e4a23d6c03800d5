"""A label folder: an image a file, below the folder of its class."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

from fastload.errors import PackError
from fastload.export.image_file import image_file
from fastload.export.output import new_folder
from fastload.export.stream import converted
from fastload.pack.target import DISK_FULL
from fastload.store.paths import path_fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fastload.export.selection import Selection

__all__ = ["write_label_folder"]


def write_label_folder(
    selection: Selection,
    folder: Path,
    name: Callable[[str, str], str],
    workers: int,
    progress: Callable[[int, int, int, int], None],
    *,
    quality: int | None = None,
) -> int:
    """Write images to a folder that appears when it is whole; every class has its folder.

    Args:
        selection: the images.
        folder: not there yet, or empty.
        name: the path of a file below ``folder``, by the image's path and the extension of what is
            written.
        workers: threads that write.
        progress: called with how far it is.
        quality: make a JPEG of this quality of what is none.

    Returns:
        Bytes written.

    Raises:
        PackError: a record is damaged or its path leaves the folder, two have the same name,
            ``folder`` has something in it already, or the disk is full.
    """
    pack = selection.pack
    with new_folder(folder) as growing:

        def write(record: int) -> int:
            path = pack.index.path(record)
            fault = path_fault(path, pack.class_name(record))
            if fault is not None:
                raise PackError(f"{pack.root}: record {record}: {fault}. Nothing is written.")
            file = image_file(pack, record, quality=quality)
            target = growing / name(path, file.extension)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with _new_file(target) as opened:
                    opened.write(file.data)
            except OSError as error:
                if error.errno in DISK_FULL:
                    raise
                raise PackError(
                    f"{pack.root}: {pack.describe(record)} cannot be written as "
                    f"{target.relative_to(growing)} ({error.strerror}). Nothing is written."
                ) from error
            return len(file.data)

        for class_name in pack.classes:
            (growing / class_name).mkdir()
        return sum(converted(selection, write, workers, progress))


def _new_file(path: Path) -> IO[bytes]:
    """A file that did not exist: two records of one path are an error, and no link is followed."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    return os.fdopen(handle, "wb")
