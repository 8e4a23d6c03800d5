"""Each lack, planted: it is found, and what to do about it is said."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from fastload.doctor import Finding, State, engines, findings_of, graphics, native, processors
from fastload.doctor.asking import cause_of_failure
from fastload.doctor.limits import look_at_limits
from fastload.doctor.packages import look_at_packages
from fastload.doctor.place import look_at_place
from fastload.native import library
from fastload.store.manifest import MANIFEST_NAME


def by_name(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_an_old_package_and_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"numpy": "1.25.9", "torch": "2.10.0+cpu"}

    def version(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    wanted = ["numpy>=1.26", "torch>=2.6", "rich>=13.0", 'timm>=1.0; extra == "train"']
    monkeypatch.setattr(metadata, "requires", lambda name: wanted)
    monkeypatch.setattr(metadata, "version", version)
    found = by_name(look_at_packages())
    assert found["numpy"].state is State.LACK
    assert found["numpy"].remedy == 'pip install "numpy>=1.26"'
    assert found["torch"] == Finding("torch", State.GOOD, "2.10.0+cpu")
    assert "not installed" in found["rich"].found
    assert "timm" not in found, "of an extra"


def test_a_library_that_does_not_load() -> None:
    program = (
        "import ctypes\n"
        "import numpy, click, rich.console\n"
        "def broken(*given): raise OSError('invalid ELF header')\n"
        "ctypes.CDLL = broken\n"
        "from fastload.cli import main\n"
        "main(['doctor'])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1, run.stderr
    found = " ".join(run.stdout.split())
    assert "✗ native library fastload's native library cannot be loaded" in found
    assert "invalid ELF header" in found
    assert "make native" in found
    assert "✓ CPUs" in found, "and the rest is told as well"


@pytest.mark.parametrize(
    ("wish", "level", "words"),
    [
        ("", "avx2", "avx2"),
        ("avx9", "avx2", "avx2; FASTLOAD_SIMD=avx9 names no level and is ignored"),
        ("portable", "portable", "portable, since FASTLOAD_SIMD=portable allows no more"),
        ("", "portable", "portable code: several times slower than AVX2"),
    ],
)
def test_simd(
    wish: str, level: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FASTLOAD_SIMD", wish)
    facts = library.LibraryFacts(level, "3.0.1")
    monkeypatch.setattr(library, "describe_library", lambda: facts)
    cpuinfo = write(tmp_path / "cpuinfo", "model name: An old CPU\nflags: fpu sse4_2\n")
    found = by_name(native.look_at_native(cpuinfo))
    assert found["SIMD"].found.startswith(words)
    assert (found["SIMD"].state is State.GOOD) == (words == level)
    assert found["libjpeg-turbo"].found.startswith("3.0.1")


def test_another_libjpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "describe_library", lambda: library.LibraryFacts("avx2", ""))
    assert by_name(native.look_at_native())["libjpeg-turbo"].state is State.LACK


def test_the_real_library_tells_its_level_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASTLOAD_SIMD", raising=False)
    found = by_name(native.look_at_native())
    assert found["SIMD"].found.split()[0] in library.SIMD_LEVELS
    assert found["libjpeg-turbo"].state is State.GOOD
    assert found["libjpeg-turbo"].found[0] in "23"


def test_a_quota_of_one_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    membership = write(tmp_path / "membership", "0::/box\n")
    write(tmp_path / "box/cpu.max", "100000 100000\n")
    write(tmp_path / "box/memory.max", "1000000000\n")
    write(tmp_path / "box/memory.current", "900000000\n")
    write(tmp_path / "box/memory.stat", "file 0\n")
    found = by_name(processors.look_at_processors(membership, tmp_path))
    assert found["CPUs"].found.startswith("1 usable of 8: a container's quota")
    assert "--cpus" in found["CPUs"].remedy
    assert found["OMP_NUM_THREADS"].remedy == "export OMP_NUM_THREADS=1"
    assert found["memory"].state is State.NOTE
    assert found["memory"].found.startswith("100.0 MB")


def test_bound_to_two_of_eight(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    found = by_name(processors.look_at_processors(tmp_path / "none", tmp_path))
    assert found["CPUs"].found.startswith("2 usable of 8: this process is bound to them")
    assert "OMP_NUM_THREADS" not in found or found["OMP_NUM_THREADS"].state is State.NOTE


def test_little_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = SimpleNamespace(f_frsize=4096, f_bavail=16384, f_bfree=16384, f_blocks=16384)
    monkeypatch.setattr(os, "statvfs", lambda folder: docker)
    found = by_name(look_at_limits(tmp_path))[str(tmp_path)]
    assert found.found.startswith("67.1 MB free of 67.1 MB")
    assert "--shm-size" in found.remedy


def test_no_shared_memory(tmp_path: Path) -> None:
    found = by_name(look_at_limits(tmp_path / "none"))[str(tmp_path / "none")]
    assert found.state is State.NOTE
    assert found.found.startswith("not there")


def test_low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    low = {
        resource.RLIMIT_NOFILE: (256, 4096),
        resource.RLIMIT_NPROC: (100, 100),
        resource.RLIMIT_MEMLOCK: (resource.RLIM_INFINITY, resource.RLIM_INFINITY),
        resource.RLIMIT_AS: (8_000_000_000, resource.RLIM_INFINITY),
    }
    monkeypatch.setattr(resource, "getrlimit", low.__getitem__)
    found = by_name(look_at_limits())
    assert found["open files"].remedy == "ulimit -n 65536"
    assert found["processes"].remedy.startswith("the hard limit is 100: ask")
    assert found["locked memory"].state is State.GOOD
    assert found["address space"].found.startswith("limited to 8.0 GB")


def test_a_driver_without_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    driver = write(tmp_path / "version", "NVRM version")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    seen = by_name(graphics.look_at_graphics(driver))["GPU"]
    assert seen.state is State.LACK
    assert "nvidia-smi" in seen.remedy
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "CUDA build" in by_name(graphics.look_at_graphics(driver))["GPU"].remedy
    assert by_name(graphics.look_at_graphics(tmp_path / "none"))["GPU"].state is State.NOTE


def test_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    device = SimpleNamespace(name="A GPU", total_memory=16_000_000_000, major=9, minor=0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: device)
    monkeypatch.setattr(graphics, "find_spec", lambda name: None)
    found = by_name(graphics.look_at_graphics())
    assert found["GPU 0"].found.startswith("A GPU, 16 GB, compute capability 9.0")
    assert found["Triton"].remedy == "pip install triton"


def test_an_engine_that_is_not_there_and_one_that_is_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "ffcv" else object())
    broken = "raise ImportError('libnvjpeg.so.13: cannot open shared object file')"
    monkeypatch.setattr(engines, "_LOAD_DALI", broken)
    found = by_name(engines.look_at_engines())
    assert found["FFCV"].state is State.NOTE
    assert "libturbojpeg0-dev" in found["FFCV"].remedy
    assert found["DALI"].state is State.LACK
    assert found["DALI"].found.endswith("libnvjpeg.so.13: cannot open shared object file")


def test_an_engine_that_kills_its_process_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: object())
    monkeypatch.setattr(engines, "_LOAD_DALI", "import os; os.kill(os.getpid(), 11)")
    monkeypatch.setattr(engines, "_LOAD_FFCV", engines._LOADING.format("import no_ffcv"))
    found = by_name(engines.look_at_engines())
    assert found["DALI"].found == "installed, but it does not load: killed by SIGSEGV"
    assert found["FFCV"].found.endswith("No module named 'no_ffcv'")


def test_an_import_that_hangs_ends() -> None:
    assert cause_of_failure("import time; time.sleep(60)", 0.2) == "no answer within 0.2 s"


@pytest.mark.parametrize(("series", "lacks"), [(570, True), (580, False), (610, False)])
def test_a_driver_too_old_for_dali(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, series: int, lacks: bool
) -> None:
    driver = write(
        tmp_path / "version",
        f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {series}.65.06  Sun Jul 27 2025\n"
        "GCC version:  gcc version 12.3.0\n",
    )
    monkeypatch.setattr(engines, "find_spec", lambda name: object())
    monkeypatch.setattr(engines, "_LOAD_DALI", "")
    monkeypatch.setattr(engines, "_LOAD_FFCV", "")
    monkeypatch.setattr(engines.metadata, "version", lambda name: "2.3.0")
    found = by_name(engines.look_at_engines(driver))
    assert found["DALI"].found == 'nvidia-dali-cuda130 2.3.0: engine="dali"'
    assert ("DALI on the GPU" in found) == lacks
    assert not lacks or "needs driver 580 or newer" in found["DALI on the GPU"].found


def test_where_data_lies(small_pack: Path, tmp_path: Path) -> None:
    mounts = write(
        tmp_path / "mounts",
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        f"2 1 0:9 / {tmp_path} rw - nfs4 server:/data rw\n"
        "3 1 0:8 / /elsewhere rw - tmpfs tmpfs rw\n",
    )
    found = by_name(look_at_place(tmp_path, mounts))
    assert found["file system"].found.startswith("nfs4, over a network")
    assert found["pack"].state is State.NOTE
    assert "fastload pack" in found["pack"].remedy
    assert by_name(look_at_place(tmp_path / "none", mounts))["folder"].state is State.LACK
    opened = by_name(look_at_place(small_pack, mounts))
    assert opened["pack"].found.startswith("22 images in 4 classes")
    assert opened["pack in memory"].state is State.GOOD


def test_a_damaged_pack(tmp_path: Path) -> None:
    write(tmp_path / MANIFEST_NAME, "{}")
    assert by_name(look_at_place(tmp_path))["pack"].state is State.LACK


def test_a_look_that_fails_is_a_finding() -> None:
    def failing() -> Iterator[Finding]:
        yield Finding("first", State.GOOD, "found")
        raise RuntimeError("planted")

    first, last = findings_of("area", failing)
    assert first.state is State.GOOD
    assert last.state is State.LACK
    assert "RuntimeError: planted" in last.found
