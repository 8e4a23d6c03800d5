"""What the system allows one process: shared memory, files, processes, locked memory."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

from fastload.doctor.finding import Finding, good, note
from fastload.words import bytes_words

__all__ = ["look_at_limits"]

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - it is looked at, not written to
# torch's workers hand over a batch of 128 float32 images of 224 x 224 in 77 MB, several at a time.
_LITTLE_SHARED_MEMORY = 1_000_000_000
_FEW_FILES = 1024
_FEW_PROCESSES = 512
_LITTLE_LOCKED = 64 * 2**20


def look_at_limits(shared_memory: Path = _SHARED_MEMORY) -> Iterator[Finding]:
    """``/dev/shm`` and the limits that ``ulimit`` shows."""
    yield _shared(shared_memory)
    yield _limit(
        "open files",
        resource.RLIMIT_NOFILE,
        _FEW_FILES,
        "enough for fastload, which keeps no shard open; torch's workers may want more",
        "ulimit -n 65536",
    )
    yield _limit(
        "processes",
        resource.RLIMIT_NPROC,
        _FEW_PROCESSES,
        "threads count, too: loaders may not be able to start theirs",
        "ulimit -u 4096",
    )
    yield _limit(
        "locked memory",
        resource.RLIMIT_MEMLOCK,
        _LITTLE_LOCKED,
        "matters only to drivers that lock memory by themselves; CUDA's pinning does not count",
        "ulimit -l unlimited",
        size=True,
    )
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if space != resource.RLIM_INFINITY:
        yield note(
            "address space",
            f"limited to {bytes_words(space)}: packs are mapped, and count whole",
            "ulimit -v unlimited",
        )


def _shared(folder: Path) -> Finding:
    name = str(folder)
    if not folder.is_dir():
        return note(
            name,
            "not there: worker processes of torch's DataLoader fail; fastload has none",
            "mount -t tmpfs tmpfs /dev/shm",
        )
    room = shutil.disk_usage(folder)
    words = f"{bytes_words(room.free)} free of {bytes_words(room.total)}"
    if room.free < _LITTLE_SHARED_MEMORY:
        return note(
            name,
            f"{words}: little for worker processes of torch's DataLoader; fastload has none",
            "docker run --shm-size=8g (or --ipc=host)",
        )
    return good(name, words)


def _limit(
    name: str, kind: int, least: int, why: str, remedy: str, *, size: bool = False
) -> Finding:
    soft, hard = resource.getrlimit(kind)
    if soft == resource.RLIM_INFINITY:
        return good(name, "not limited")
    words, most = (bytes_words(value) if size else f"{value:,}" for value in (soft, hard))
    if soft >= least:
        return good(name, words)
    if hard != resource.RLIM_INFINITY and hard < least:
        remedy = f"the hard limit is {most}: ask whoever runs the machine, then {remedy}"
    return note(name, f"{words}; {why}", remedy)
