"""Writes a pack again and again, with a fault at each place where a file changes; prints the ends.

A process of its own, because it forks: each attempt is a child that is killed, or meets a full
disk, at its n-th change of a file. Run as

    python -m tests.pack.faulty_packing FAULT COMMAND SOURCE FOLDER

where FAULT is ``kill`` or ``full`` and COMMAND is ``pack``, ``recode`` or ``append``; each attempt
has a folder of its own in FOLDER.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastload.errors import PackError
from fastload.pack import pack
from fastload.pack.append import AppendReport, append
from fastload.pack.flow import Report
from fastload.pack.folder import pack_folder  # noqa: F401 - imported once, before the forks
from fastload.pack.recode import recode_pack
from fastload.pack.write import ShardWriter
from fastload.store import open_pack
from fastload.store.verify import faults

# Of a pack of some shards.
SHARD_SIZE = 12_000
ENDED_WELL, DISK_FULL = 0, 3


class Fault:
    """Counts the changes of files and strikes at one of them."""

    def __init__(self, kind: str, at: int) -> None:
        self.kind = kind
        self.left = at

    def strike(self) -> None:
        if self.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(errno.ENOSPC, "No space left on device")

    def before(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self.strike()
            return change(*arguments, **options)

        return changed

    def amid(self, write: Callable[[ShardWriter, bytes], None]) -> Callable[..., None]:
        """Half of the bytes get to the disk."""

        def written(writer: ShardWriter, data: bytes) -> None:
            self.left -= 1
            if self.left == 0:
                write(writer, data[: len(data) // 2])
                writer._file.flush()
                self.strike()
            write(writer, data)

        return written

    def arm(self) -> None:
        os.fsync = self.before(os.fsync)
        Path.replace = self.before(Path.replace)
        Path.unlink = self.before(Path.unlink)
        Path.mkdir = self.before(Path.mkdir)
        os.rmdir = self.before(os.rmdir)
        ShardWriter._write = self.amid(ShardWriter._write)


def prepare(command: str, source: Path, target: Path) -> None:
    """Puts there what is there before: for appending the pack."""
    if command == "append":
        shutil.copytree(source / "base.pack", target)


def write(command: str, source: Path, target: Path) -> Report | AppendReport:
    """Packs a label folder, recodes the pack of one, or appends ``more`` to a pack."""
    if command == "pack":
        return pack(source, target, shard_size=SHARD_SIZE, workers=2)
    if command == "append":
        return append(target, source / "more", workers=2)
    return recode_pack(open_pack(source), target, "dct", workers=2)


def attempt(fault: Fault | None, command: str, source: Path, target: Path) -> int:
    """The exit code of a child that writes a pack: negative where a signal ended it."""
    child = os.fork()
    if child == 0:
        try:
            if fault is not None:
                fault.arm()
            write(command, source, target)
        except PackError as error:
            os._exit(DISK_FULL if "is full" in str(error) else 1)
        except BaseException:  # noqa: BLE001 - a forked child must not run its parent's code
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(ENDED_WELL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def finished_shards(target: Path) -> dict[str, int]:
    """Inode of each shard that has its record."""
    records = [*target.glob(".progress/*.arrow"), *target.glob(".appending/*.arrow")]
    shards = {record.stem: target / "shards" / f"{record.stem}.tar" for record in records}
    return {name: shard.stat().st_ino for name, shard in shards.items()}


def is_whole(command: str, source: Path, target: Path) -> bool:
    """Whether the pack is what it is to be; one that is appended to is sound all the time."""
    if command != "append":
        return (target / "pack.json").exists()
    opened = open_pack(target)
    assert list(faults(opened)) == []
    assert len(opened.index.paths(opened.index.listing)) == len(opened)
    return opened.manifest != open_pack(source / "base.pack").manifest


def main(kind: str, command: str, source: str, folder: str) -> None:
    outcomes = []
    for at in range(1, 1000):
        target = Path(folder) / f"{at:03d}.pack"
        prepare(command, Path(source), target)
        code = attempt(Fault(kind, at), command, Path(source), target)
        if code == ENDED_WELL:
            shutil.rmtree(target)
            break
        whole = is_whole(command, Path(source), target)
        kept = finished_shards(target)
        again = attempt(None, command, Path(source), target)
        same = {
            name: inode == (target / "shards" / f"{name}.tar").stat().st_ino
            for name, inode in kept.items()
        }
        outcomes.append(
            {"at": at, "code": code, "whole": whole, "again": again, "kept": list(same.values())}
        )
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(*sys.argv[1:])
