"""Files that a command writes beside a pack, where the user wants them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from fastload.words import name_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["check_folder", "writing"]


def check_folder(file: Path | None) -> None:
    """Refuse a file whose folder is not there, before any work is done for it.

    Raises:
        click.UsageError: there is no such folder.
    """
    if file is not None and not file.parent.is_dir():
        raise click.UsageError(
            f"{name_words(str(file))} cannot be written: there is no folder "
            f"{name_words(str(file.parent))}. Make it, or choose another place."
        )


@contextlib.contextmanager
def writing(file: Path) -> Iterator[None]:
    """Name the file that cannot be written, which the system does not when a disk is full.

    Raises:
        click.ClickException: the disk is full or may not be written.
    """
    try:
        yield
    except OSError as error:
        raise click.ClickException(
            f"{name_words(str(file))} cannot be written ({error.strerror}): what is there of it is "
            "not whole. Make room, or choose another place."
        ) from error
