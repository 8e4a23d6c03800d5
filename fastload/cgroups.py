"""The limits that containers set: what the cgroups of this process, and all above them, allow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

__all__ = ["MEMBERSHIP", "ROOT", "limits"]

ROOT = Path("/sys/fs/cgroup")
"""Where the cgroup file systems are mounted."""

MEMBERSHIP = Path("/proc/self/cgroup")
"""The list of this process's cgroups."""

Reader = Callable[[Path], float | None]


def limits(
    controller: str,
    read_v1: Reader,
    read_v2: Reader,
    membership: Path = MEMBERSHIP,
    root: Path = ROOT,
) -> list[float]:
    """What a controller allows, one number for each cgroup that sets a limit.

    Args:
        controller: its name, such as ``"cpu"``.
        read_v1: the limit in a folder of version 1, None where there is none; it may raise OSError
            and ValueError for files that are not there or not as expected.
        read_v2: the same for version 2.
        membership: as :data:`MEMBERSHIP`.
        root: as :data:`ROOT`.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            found += _limits_above(root, group, read_v2)
        elif controller in controllers.split(","):
            for mount in (controller, controllers):
                found += _limits_above(root / mount, group, read_v1)
    return found


def _limits_above(mount: Path, group: str, read: Reader) -> list[float]:
    """The limits of a group and of all groups above it."""
    inner = PurePosixPath(group).relative_to("/") if group.startswith("/") else PurePosixPath(group)
    found = []
    for part in (inner, *inner.parents):
        try:
            limit = read(mount / part)
        except (OSError, ValueError):
            continue
        if limit is not None:
            found.append(limit)
    return found
