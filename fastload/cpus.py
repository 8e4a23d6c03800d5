"""How many CPUs this process may really use: its affinity, cut by the cgroups' quotas.

A container limited to two CPUs of a large machine still sees all of them; starting a thread for
each makes the kernel stop the whole process for most of every period.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

__all__ = ["usable_cpus"]

_CGROUP_ROOT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def usable_cpus(membership: Path = _MEMBERSHIP, root: Path = _CGROUP_ROOT) -> int:
    """The smaller of the affinity mask and the tightest CPU quota, at least 1.

    Args:
        membership: the list of this process's cgroups (``/proc/self/cgroup``).
        root: where the cgroup file systems are mounted.
    """
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:
        allowed = os.cpu_count() or 1
    quota = _quota(membership, root)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def _quota(membership: Path, root: Path) -> float | None:
    """CPUs' worth of time that the cgroups allow, None for no limit."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    quotas = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            quotas += _quotas_above(root, group, _quota_v2)
        elif "cpu" in controllers.split(","):
            for mount in ("cpu", "cpu,cpuacct"):
                quotas += _quotas_above(root / mount, group, _quota_v1)
    return min(quotas, default=None)


def _quotas_above(mount: Path, group: str, read: Callable[[Path], float | None]) -> list[float]:
    """The limits of a group and of all groups above it."""
    inner = PurePosixPath(group).relative_to("/") if group.startswith("/") else PurePosixPath(group)
    found = []
    for part in (inner, *inner.parents):
        try:
            quota = read(mount / part)
        except (OSError, ValueError):
            continue
        if quota is not None:
            found.append(quota)
    return found


def _quota_v2(folder: Path) -> float | None:
    quota, period = (folder / "cpu.max").read_text().split()
    return None if quota == "max" else int(quota) / int(period)


def _quota_v1(folder: Path) -> float | None:
    quota = int((folder / "cpu.cfs_quota_us").read_text())
    period = int((folder / "cpu.cfs_period_us").read_text())
    return None if quota <= 0 else quota / period
