"""A pack or a label folder: where it lies, and whether it opens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from fastload.doctor.finding import Finding, good, lack, note
from fastload.errors import PackError
from fastload.memory import available_memory
from fastload.words import bytes_words, name_words

__all__ = ["look_at_place"]

_MOUNTS = Path("/proc/self/mountinfo")
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "9p", "ceph")


def look_at_place(path: Path, mounts: Path = _MOUNTS) -> Iterator[Finding]:
    """A pack's, or any folder's, file system, space and state.

    Args:
        path: the folder.
        mounts: the list of what is mounted.
    """
    if not path.is_dir():
        yield lack(
            "folder",
            f"{name_words(str(path))}: there is no such folder",
            "check the path (pwd, ls)",
        )
        return
    yield _file_system(path, mounts)
    # At the top, this would keep the doctor from telling of a native library that does not load.
    from fastload.store.manifest import MANIFEST_NAME

    if (path / MANIFEST_NAME).is_file():
        yield from _pack(path)
    else:
        name = name_words(str(path))
        yield note(
            "pack", f"{name} is no pack", f"fastload pack {name} makes one of a label folder"
        )


def _file_system(path: Path, mounts: Path) -> Finding:
    kind = _kind(path, mounts)
    free = bytes_words(shutil.disk_usage(path).free)
    if kind in _REMOTE:
        return note(
            "file system",
            f"{kind}, over a network: the first epoch is as slow as that; {free} free",
            "copy the pack to a local disk before training",
        )
    return good("file system", f"{kind}, {free} free")


def _kind(path: Path, mounts: Path) -> str:
    """The type of the file system that a path is on: of the longest mount point above it."""
    found, longest = "unknown", -1
    place = path.resolve()
    for line in mounts.read_text().splitlines():
        front, _, back = line.partition(" - ")
        fields = front.split()
        # Spaces and the like stand there in octal.
        point = Path(fields[4].encode().decode("unicode_escape"))
        if place.is_relative_to(point) and len(point.parts) >= longest:
            found, longest = back.split()[0], len(point.parts)
    return found


def _pack(path: Path) -> Iterator[Finding]:
    from fastload.store import open_pack

    try:
        pack = open_pack(path)
    except (PackError, OSError) as error:
        yield lack("pack", str(error), f"fastload verify {name_words(str(path))}")
        return
    size = sum(shard.size for shard in pack.manifest.shards)
    yield good(
        "pack", f"{len(pack):,} images in {len(pack.classes):,} classes, {bytes_words(size)}"
    )
    free = available_memory()
    if size > free:
        yield note(
            "pack in memory",
            f"{bytes_words(size)} do not fit into the {bytes_words(free)} that are free: each "
            "epoch reads from the disk",
            "a quick local disk; fastload pack --max-side makes a smaller pack",
        )
    else:
        yield good("pack in memory", "fits: the disk is read once")
