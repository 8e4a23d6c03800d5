"""The CPU count of a container is its quota, not the machine's size."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fastload.cpus import usable_cpus


@pytest.fixture(autouse=True)
def eight_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_affinity_alone(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path / "none", tmp_path) == 8


@pytest.mark.parametrize(
    ("quota", "cpus"), [("max 100000", 8), ("250000 100000", 3), ("10000 100000", 1)]
)
def test_quota_v2(tmp_path: Path, quota: str, cpus: int) -> None:
    write(tmp_path / "membership", "0::/box/task\n")
    write(tmp_path / "box/task/cpu.max", quota + "\n")
    assert usable_cpus(tmp_path / "membership", tmp_path) == cpus


def test_the_tightest_group_above_counts(tmp_path: Path) -> None:
    write(tmp_path / "membership", "0::/box/task\n")
    write(tmp_path / "box/task/cpu.max", "600000 100000\n")
    write(tmp_path / "box/cpu.max", "200000 100000\n")
    assert usable_cpus(tmp_path / "membership", tmp_path) == 2


def test_a_namespaced_group_is_read_at_the_root(tmp_path: Path) -> None:
    write(tmp_path / "membership", "0::/\n")
    write(tmp_path / "cpu.max", "400000 100000\n")
    assert usable_cpus(tmp_path / "membership", tmp_path) == 4


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_quota_v1(tmp_path: Path, mount: str) -> None:
    write(tmp_path / "membership", "3:memory:/x\n4:cpu,cpuacct:/box\n0::/\n")
    write(tmp_path / mount / "box/cpu.cfs_quota_us", "150000\n")
    write(tmp_path / mount / "box/cpu.cfs_period_us", "50000\n")
    assert usable_cpus(tmp_path / "membership", tmp_path) == 3


def test_no_quota_v1(tmp_path: Path) -> None:
    write(tmp_path / "membership", "4:cpu:/\n")
    write(tmp_path / "cpu/cpu.cfs_quota_us", "-1\n")
    write(tmp_path / "cpu/cpu.cfs_period_us", "100000\n")
    assert usable_cpus(tmp_path / "membership", tmp_path) == 8


def test_more_quota_than_affinity(tmp_path: Path) -> None:
    write(tmp_path / "membership", "0::/\n")
    write(tmp_path / "cpu.max", "6400000 100000\n")
    assert usable_cpus(tmp_path / "membership", tmp_path) == 8
