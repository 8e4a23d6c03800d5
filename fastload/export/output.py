"""What is written appears under its name when it is whole; after an error nothing is left."""

from __future__ import annotations

import contextlib
import shutil
from typing import IO, TYPE_CHECKING

from fastload.errors import PackError
from fastload.pack.target import DISK_FULL
from fastload.store.durable import TEMPORARY, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["new_file", "new_folder"]

# Records are some hundred kilobytes; small ones are gathered.
_BUFFER = 1 << 20


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name in the end.

    Args:
        folder: not there yet, or empty.

    Yields:
        The folder under a temporary name beside it.

    Raises:
        PackError: there is something else, it cannot be made, or the disk is full.
    """
    if folder.exists() and not folder.is_dir():
        raise PackError(f"{folder} is a file: choose another name.")
    if folder.exists() and any(folder.iterdir()):
        raise PackError(f"{folder} is not empty: choose another folder.")
    growing = folder.with_name(folder.name + TEMPORARY)
    with _made(growing, folder):
        growing.mkdir(parents=True)
    try:
        with _room(folder):
            yield growing
            growing.replace(folder)
    except BaseException:
        shutil.rmtree(growing, ignore_errors=True)
        raise


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to fill, which gets its name when its bytes are on the disk.

    Args:
        path: not there yet.

    Yields:
        The open file.

    Raises:
        PackError: there is something already, it cannot be made, or the disk is full.
    """
    if path.exists():
        raise PackError(f"{path} is there already: remove it, or choose another name.")
    growing = path.with_name(path.name + TEMPORARY)
    with _made(growing, path):
        file = growing.open("xb", _BUFFER)
    try:
        with _room(path), file:
            yield file
            publish(file, path)
    except BaseException:
        growing.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _made(growing: Path, wanted: Path) -> Iterator[None]:
    """Say why what is to be filled cannot be made."""
    try:
        yield
    except FileExistsError as error:
        raise PackError(
            f"{growing} is in the way: remove it if it is left from a run that was killed, "
            "or choose another name."
        ) from error
    except OSError as error:
        raise PackError(
            f"{wanted} cannot be written ({error.strerror}): choose another place."
        ) from error


@contextlib.contextmanager
def _room(wanted: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise PackError(
            f"The disk that holds {wanted} is full ({error.strerror}); nothing is left of what was "
            "written. Make room and run the same command again."
        ) from error
