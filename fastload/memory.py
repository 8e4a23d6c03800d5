"""How much memory this process may still take: what the system has free, cut by the cgroups."""

from __future__ import annotations

from pathlib import Path

from fastload.cgroups import MEMBERSHIP, ROOT, limits

__all__ = ["MEMINFO", "available_memory"]

MEMINFO = Path("/proc/meminfo")
"""The system's own account."""

# A limit of version 1 that is none: the largest number of whole pages.
_NO_LIMIT_V1 = 2**62


def available_memory(
    meminfo: Path = MEMINFO, membership: Path = MEMBERSHIP, root: Path = ROOT
) -> int:
    """Bytes that can be taken before the system or a container's limit is reached.

    What caches of files take counts as free: the kernel gives it up.

    Args:
        meminfo: the system's own account (``/proc/meminfo``).
        membership: the list of this process's cgroups (``/proc/self/cgroup``).
        root: where the cgroup file systems are mounted.
    """
    free = limits("memory", _free_v1, _free_v2, membership, root)
    return max(0, int(min([_available(meminfo), *free])))


def _available(meminfo: Path) -> int:
    for line in meminfo.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return 0


def _free_v2(folder: Path) -> float | None:
    limit = (folder / "memory.max").read_text().strip()
    if limit == "max":
        return None
    used = int((folder / "memory.current").read_text())
    return int(limit) - used + _file_pages(folder, "file")


def _free_v1(folder: Path) -> float | None:
    limit = int((folder / "memory.limit_in_bytes").read_text())
    if limit >= _NO_LIMIT_V1:
        return None
    used = int((folder / "memory.usage_in_bytes").read_text())
    return limit - used + _file_pages(folder, "total_cache")


def _file_pages(folder: Path, name: str) -> int:
    """Bytes of files in memory, a line of ``memory.stat``."""
    for line in (folder / "memory.stat").read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
