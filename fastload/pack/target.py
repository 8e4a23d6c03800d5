"""The folder that a pack is written to: what may be there before, and what to do where it fails."""

from __future__ import annotations

import contextlib
import errno
from typing import TYPE_CHECKING, Any

from fastload.errors import PackError
from fastload.pack.journal import JOURNAL_NAME, Journal
from fastload.store.manifest import MANIFEST_NAME
from fastload.store.pack import open_pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastload.store.pack import Pack

__all__ = [
    "DISK_FULL",
    "differing_options",
    "disk_named",
    "finished_pack",
    "keep",
    "lost_shard",
    "refuse_inside",
]

# What the system says where there is no more room for a file.
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def refuse_inside(root: Path, source: Path, what: str) -> None:
    """A pack inside what it is made of would be taken for a part of it next time.

    Args:
        root: where the pack is to be.
        source: the folder it is made of.
        what: that folder is, for the message.

    Raises:
        PackError: the pack would lie inside.
    """
    if root.resolve().is_relative_to(source.resolve()):
        raise PackError(f"{root} lies inside the {what}: choose another place.")


def finished_pack(root: Path) -> Pack | None:
    """The finished pack in ``root``, or None where there is none yet.

    Raises:
        PackError: the folder holds something else.
    """
    if (root / MANIFEST_NAME).exists():
        return open_pack(root)
    if root.exists() and not root.is_dir():
        raise PackError(f"{root} is a file: choose another name with --output.")
    if root.exists() and not (root / JOURNAL_NAME).is_dir() and any(root.iterdir()):
        raise PackError(f"{root} is not empty and not a pack: choose another folder with --output.")
    return None


def keep(pack: Pack, differing: list[str]) -> None:
    """Leave a finished pack as it is, for it is the one that was asked for.

    Args:
        pack: in the folder to write to.
        differing: in words, in what it is not the pack that was asked for.

    Raises:
        PackError: it is another one, or has lost a shard.
    """
    if differing:
        raise PackError(
            f"{pack.root} is already a pack, of other {' and '.join(differing)}. Remove it to "
            "write it again, or choose another folder with --output."
        )
    lost = lost_shard(pack)
    if lost is not None:
        raise PackError(
            f"{lost} is missing or damaged. Remove {pack.root} and run the command again."
        )
    if (pack.root / JOURNAL_NAME).is_dir():
        # A run was ended after its last step but one.
        Journal(pack.root).remove()


def lost_shard(pack: Pack) -> Path | None:
    """The first shard whose file is missing or has another size than declared."""
    for number, shard in enumerate(pack.manifest.shards):
        file = pack.shard_file(number)
        if not file.exists() or file.stat().st_size != shard.size:
            return file
    return None


def differing_options(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """The options that are others than those that were asked for, in words.

    >>> differing_options({"seed": 7, "cls": True}, {"seed": 0, "cls": True})
    ['options (seed 0, not 7)']
    """
    keys = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
    return [f"options ({key} {found.get(key)!r}, not {wanted.get(key)!r})" for key in keys]


@contextlib.contextmanager
def disk_named(
    root: Path,
    state: str = "there is no pack yet",
    forbidden: str = "choose another folder with --output",
) -> Iterator[None]:
    """Say what to do where the pack cannot be written.

    Args:
        root: the pack's folder.
        state: what there is where the disk is full.
        forbidden: what to do where nothing may be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FORBIDDEN:
            raise PackError(f"{root} cannot be written ({error.strerror}): {forbidden}.") from error
        if error.errno not in DISK_FULL:
            raise
        raise PackError(
            f"The disk that holds {root} is full ({error.strerror}); {state}. Make room and run "
            "the same command again: the finished shards are kept."
        ) from error
