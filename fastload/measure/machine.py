"""The machine that figures are of, in words and numbers that can be printed."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastload.cpus import usable_cpus

__all__ = ["Machine", "this_machine"]

_CPUINFO = Path("/proc/cpuinfo")
_MEMINFO = Path("/proc/meminfo")
# What the native kernels and their peers choose among.
_SIMD = ("sse4_2", "avx2", "bmi2", "avx512f", "avx512_vbmi2")


@dataclass(frozen=True)
class Machine:
    """What decides how fast images are loaded.

    Attributes:
        processor: its model, as Linux names it.
        cpus: how many this process may use: affinity and quota.
        simd: instruction sets of ``_SIMD`` that it has.
        memory: bytes in the whole machine.
        kernel: name and version.
        python: version.
        load: jobs that wanted a CPU during the last minute: figures of a busy machine mean little.
    """

    processor: str
    cpus: int
    simd: tuple[str, ...]
    memory: int
    kernel: str
    python: str
    load: float

    def __str__(self) -> str:
        return (
            f"{self.processor}, {self.cpus} usable CPUs ({', '.join(self.simd) or 'no SIMD'}), "
            f"{self.memory / 1e9:.0f} GB, load average {self.load:.1f}"
        )

    def as_dict(self) -> dict[str, Any]:
        """The same, as JSON takes it."""
        return asdict(self)


def this_machine(cpuinfo: Path = _CPUINFO, meminfo: Path = _MEMINFO) -> Machine:
    """The machine that this process runs on."""
    fields = _fields(cpuinfo)
    flags = fields.get("flags", "").split()
    return Machine(
        processor=fields.get("model name", platform.machine()),
        cpus=usable_cpus(),
        simd=tuple(name for name in _SIMD if name in flags),
        memory=int(_fields(meminfo).get("MemTotal", "0 kB").split()[0]) * 1024,
        # Behind the version stands who built it.
        kernel=f"{platform.system()} {platform.release().partition('-')[0]}",
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
    )


def _fields(file: Path) -> dict[str, str]:
    """The first value of each name."""
    found: dict[str, str] = {}
    for line in file.read_text().splitlines():
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    return found
