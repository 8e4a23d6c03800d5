"""How many CPUs and how much memory this process may use, and what hinders it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from fastload.cgroups import MEMBERSHIP, ROOT
from fastload.cpus import usable_cpus
from fastload.doctor.finding import Finding, good, note
from fastload.measure.machine import this_machine
from fastload.memory import available_memory
from fastload.words import bytes_words

__all__ = ["look_at_processors"]

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
# The interpreter with torch, and some batches.
_LITTLE_MEMORY = 2_000_000_000
# So much more of what waits for a CPU than there are CPUs, and figures mean nothing.
_BUSY = 1.5


def look_at_processors(membership: Path = MEMBERSHIP, root: Path = ROOT) -> Iterator[Finding]:
    """Processor, affinity and quota, threads of other libraries, memory.

    Args:
        membership: the list of this process's cgroups.
        root: where the cgroup file systems are mounted.
    """
    machine = this_machine()
    yield good("processor", f"{machine.processor} ({', '.join(machine.simd) or 'no SIMD'})")
    yield _cpus(membership, root)
    yield from _threads(usable_cpus(membership, root))
    if machine.load > _BUSY * usable_cpus(membership, root):
        yield note(
            "load",
            f"{machine.load:.1f} jobs want a CPU: what is measured now means little",
            "measure when nothing else runs (top shows what does)",
        )
    yield _memory(membership, root)


def _cpus(membership: Path, root: Path) -> Finding:
    present, allowed = os.cpu_count() or 1, len(os.sched_getaffinity(0))
    usable = usable_cpus(membership, root)
    words = f"{usable} usable of {present}"
    if usable < allowed:
        return note(
            "CPUs",
            f"{words}: a container's quota allows no more; loaders start {usable} threads",
            "docker run --cpus, or the resources of the pod, raise the quota",
        )
    if allowed < present:
        return note(
            "CPUs",
            f"{words}: this process is bound to them; loaders start {usable} threads",
            "taskset -p shows the mask; batch systems set it by --cpus-per-task and the like",
        )
    return good("CPUs", words)


def _threads(cpus: int) -> Iterator[Finding]:
    for name in _VARIABLES:
        value = os.environ.get(name, "")
        if value.isdecimal() and int(value) > cpus:
            yield note(
                name,
                f"{value} threads for {cpus} CPUs: they take time from the loader's",
                f"export {name}={cpus}",
            )


def _memory(membership: Path, root: Path) -> Finding:
    free = available_memory(membership=membership, root=root)
    words = f"{bytes_words(free)} can be taken; the loaders' cache takes half of that at most"
    if free < _LITTLE_MEMORY:
        return note(
            "memory",
            words,
            "end other processes, or raise the container's limit (docker run --memory)",
        )
    return good("memory", words)
