from __future__ import annotations

import os
from pathlib import Path

from fastload.measure.machine import this_machine

CPUINFO = "processor\t: 0\nmodel name\t: An (R) CPU\nflags\t\t: fpu sse4_2 avx2\n\nprocessor\t: 1\n"


def test_what_linux_says_is_read(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(CPUINFO)
    (tmp_path / "meminfo").write_text("MemTotal:  2000 kB\nMemFree:  5 kB\n")
    machine = this_machine(tmp_path / "cpuinfo", tmp_path / "meminfo")
    assert (machine.processor, machine.simd, machine.memory) == (
        "An (R) CPU",
        ("sse4_2", "avx2"),
        2_048_000,
    )
    assert "An (R) CPU, " in str(machine)


def test_this_one() -> None:
    machine = this_machine()
    assert 1 <= machine.cpus <= len(os.sched_getaffinity(0))
    assert machine.memory > 1 << 28
