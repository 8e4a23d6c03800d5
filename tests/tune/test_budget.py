"""What a container, a machine of several ranks, and a small /dev/shm leave to a loader."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fastload.tune.budget import Budget, Needs, read_budget
from fastload.tune.settings import FolderSettings, PackSettings
from fastload.tune.share import on_its_share

GB, MB = 10**9, 10**6


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight CPUs and 16 GB, in no container."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    (tmp_path / "meminfo").write_text("MemAvailable: 15625000 kB\n")
    (tmp_path / "membership").write_text("0::/box\n")
    (tmp_path / "box").mkdir()
    return tmp_path


def budget(machine: Path, ranks: int = 1) -> Budget:
    meminfo, shm = machine / "meminfo", machine / "box"
    return read_budget(ranks, machine / "membership", machine, meminfo, shm)


def test_the_whole_machine(machine: Path) -> None:
    facts = os.statvfs(machine)
    found = budget(machine)
    assert (found.cpus, found.memory, found.ranks) == (8, 16 * GB, 1)
    assert found.shared_memory == pytest.approx(facts.f_bavail * facts.f_frsize, rel=0.01)


def test_a_container_of_one_cpu(machine: Path) -> None:
    (machine / "box/cpu.max").write_text("100000 100000\n")
    (machine / "box/memory.max").write_text("2000000000\n")
    (machine / "box/memory.current").write_text("500000000\n")
    (machine / "box/memory.stat").write_text("file 0\n")
    found = budget(machine)
    assert (found.cpus, found.memory) == (1, 1_500_000_000)


def test_a_container_of_one_cpu_in_version_1(machine: Path) -> None:
    (machine / "membership").write_text("4:cpu,cpuacct:/box\n")
    (machine / "cpu/box").mkdir(parents=True)
    (machine / "cpu/box/cpu.cfs_quota_us").write_text("50000\n")
    (machine / "cpu/box/cpu.cfs_period_us").write_text("50000\n")
    assert budget(machine).cpus == 1


def test_ranks_share_all_of_it(machine: Path) -> None:
    found = budget(machine, ranks=3)
    assert (found.cpus, found.memory) == (2, 16 * GB // 3)
    assert budget(machine, ranks=16).cpus == 1
    assert "the share of one of 3 processes" in str(found)


def test_no_shared_memory_at_all(machine: Path) -> None:
    nowhere = machine / "nowhere"
    found = read_budget(1, machine / "membership", machine, machine / "meminfo", nowhere)
    assert found.shared_memory == 0
    needs = Needs(found, 1)
    assert "/dev/shm" in needs.against(FolderSettings(1))
    assert needs.against(FolderSettings(0)) == needs.against(PackSettings(8)) == ""


def test_what_needs_too_much_shared_memory_is_told_what_to_do() -> None:
    needs = Needs(Budget(8, 16 * GB, 64 * MB), batch_bytes=38 * MB)
    assert needs.against(FolderSettings(8, 4)) == (
        "8 workers x 4 batches of 38.0 MB need 1.2 GB of /dev/shm, 51.2 MB may be taken: give the "
        "container more (docker run --shm-size=8g), or make batches smaller"
    )
    # Threads share the process's own memory.
    assert needs.against(PackSettings(8, 8)) == ""


def test_what_needs_too_much_memory_is_told_what_to_do() -> None:
    needs = Needs(Budget(8, 1 * GB, 16 * GB), batch_bytes=38 * MB)
    assert needs.against(FolderSettings(4, 2)) == ""
    assert needs.against(FolderSettings(8, 2)).startswith(
        "8 workers x 2 batches of 38.0 MB need 1.1 GB of memory, 800.0 MB may be taken: "
    )
    assert needs.against(PackSettings(8, 64)).startswith("64 batches of 38.0 MB need 2.4 GB")


def test_trials_of_a_rank_run_on_its_share_of_the_cpus() -> None:
    allowed = os.sched_getaffinity(0)
    if len(allowed) == 1:
        pytest.skip("one CPU cannot be shared")
    with on_its_share(Budget(1, 1, 1, ranks=2)):
        assert os.sched_getaffinity(0) == {min(allowed)}
    assert os.sched_getaffinity(0) == allowed
    with on_its_share(Budget(1, 1, 1, ranks=1)):
        assert os.sched_getaffinity(0) == allowed
