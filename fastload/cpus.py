"""How many CPUs this process may really use: its affinity, cut by the cgroups' quotas.

A container limited to two CPUs of a large machine still sees all of them; starting a thread for
each makes the kernel stop the whole process for most of every period.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

from fastload.cgroups import MEMBERSHIP, ROOT, limits

__all__ = ["local_ranks", "usable_cpus"]


def usable_cpus(membership: Path = MEMBERSHIP, root: Path = ROOT) -> int:
    """The smaller of the affinity mask and the tightest CPU quota, at least 1.

    Args:
        membership: the list of this process's cgroups (``/proc/self/cgroup``).
        root: where the cgroup file systems are mounted.
    """
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:
        allowed = os.cpu_count() or 1
    quotas = limits("cpu", _quota_v1, _quota_v2, membership, root)
    return max(1, min([allowed, *map(math.ceil, quotas)]))


def local_ranks() -> int:
    """How many training processes share this machine, as ``torchrun`` tells each; 1 elsewhere."""
    return max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1") or 1))


def _quota_v2(folder: Path) -> float | None:
    quota, period = (folder / "cpu.max").read_text().split()
    return None if quota == "max" else int(quota) / int(period)


def _quota_v1(folder: Path) -> float | None:
    quota = int((folder / "cpu.cfs_quota_us").read_text())
    period = int((folder / "cpu.cfs_period_us").read_text())
    return None if quota <= 0 else quota / period
