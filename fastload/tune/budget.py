"""What the machine really leaves to a loader, and settings refused because they need more."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastload.cgroups import MEMBERSHIP, ROOT
from fastload.cpus import usable_cpus
from fastload.memory import MEMINFO, available_memory
from fastload.tune.settings import FolderSettings, Settings
from fastload.words import bytes_words

__all__ = ["Budget", "Needs", "Refusal", "read_budget"]

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux has it, not a file of ours
# Private memory of a worker process forked from one that has torch and torchvision: what Python's
# reference counts copy, and what decoding takes.
_WORKER_BYTES = 60_000_000
# Of what is free, a loader may take so much: the model and the system need the rest.
_SHARE = 0.8


@dataclass(frozen=True)
class Budget:
    """What one training process may use.

    Attributes:
        cpus: those of affinity and cgroup quota, divided by the ranks; at least 1.
        memory: free bytes, within the cgroup's limit, divided by the ranks.
        shared_memory: free bytes of /dev/shm, divided by the ranks.
        ranks: training processes on this machine.
    """

    cpus: int
    memory: int
    shared_memory: int
    ranks: int = 1

    def __str__(self) -> str:
        share = f", the share of one of {self.ranks} processes" if self.ranks > 1 else ""
        cpus = f"{self.cpus} CPU" if self.cpus == 1 else f"{self.cpus} CPUs"
        return (
            f"{cpus}, {bytes_words(self.memory)} of memory, "
            f"{bytes_words(self.shared_memory)} of /dev/shm{share}"
        )

    def as_dict(self) -> dict[str, Any]:
        """The same, as JSON takes it."""
        return asdict(self)


def read_budget(
    ranks: int,
    membership: Path = MEMBERSHIP,
    root: Path = ROOT,
    meminfo: Path = MEMINFO,
    shared_memory: Path = SHARED_MEMORY,
) -> Budget:
    """What one of so many processes may use.

    Args:
        ranks: training processes that share the machine.
        membership: as :func:`fastload.memory.available_memory` takes it.
        root: likewise.
        meminfo: likewise.
        shared_memory: the folder that shared memory is taken from.
    """
    free = shutil.disk_usage(shared_memory).free if shared_memory.is_dir() else 0
    return Budget(
        cpus=max(1, usable_cpus(membership, root) // ranks),
        memory=available_memory(meminfo, membership, root) // ranks,
        shared_memory=free // ranks,
        ranks=ranks,
    )


@dataclass(frozen=True)
class Refusal:
    """A setting that is not tried, and why."""

    settings: Settings
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """The same, as JSON takes it."""
        return {"arguments": self.settings.arguments(), "reason": self.reason}


@dataclass(frozen=True)
class Needs:
    """Judges settings by what they need.

    Attributes:
        budget: what there is.
        batch_bytes: of one batch.
    """

    budget: Budget
    batch_bytes: int

    def against(self, settings: Settings) -> str:
        """Why a setting does not fit; "" where it does.

        >>> needs = Needs(Budget(4, 10**10, 64 * 10**6), 38_500_000)
        >>> needs.against(FolderSettings(1, 1)), needs.against(FolderSettings(0))
        ('', '')
        >>> needs.against(FolderSettings(4, 2)).partition(":")[0]
        '4 workers x 2 batches of 38.5 MB need 308.0 MB of /dev/shm, 51.2 MB may be taken'
        """
        processes = settings.num_workers if isinstance(settings, FolderSettings) else 0
        queue = max(1, settings.queue) * self.batch_bytes
        shared, memory = (
            int(_SHARE * there) for there in (self.budget.shared_memory, self.budget.memory)
        )
        batches = f"{settings.prefetch_factor} batches of {bytes_words(self.batch_bytes)}"
        who = f"{processes} workers x {batches}" if processes else batches
        if processes and queue > shared:
            return (
                f"{who} need {bytes_words(queue)} of /dev/shm, {bytes_words(shared)} may be taken: "
                "give the container more (docker run --shm-size=8g), or make batches smaller"
            )
        wanted = queue + processes * _WORKER_BYTES
        if wanted > memory:
            return (
                f"{who} need {bytes_words(wanted)} of memory, {bytes_words(memory)} may be taken: "
                "make batches smaller, or give the container more memory"
            )
        return ""
