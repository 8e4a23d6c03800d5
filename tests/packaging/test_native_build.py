"""setup.py's own work: plain errors, and nothing compiled twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT

pytest.importorskip("setuptools", reason="setup.py needs setuptools")

SOURCES = {
    "one.h": "int one();\n",
    "one.cpp": '#include "one.h"\nint one() { return 1; }\n',
    "two.cpp": "int two() { return 2; }\n",
}

SHARED_TEMPLATE = """#pragma once
template <typename Number>
[[gnu::noinline]] Number Sum(const Number* numbers) {
    Number sum = 0;
    for (int i = 0; i < 1024; ++i) sum += numbers[i];
    return sum;
}
"""

NO_HEADER = """#!/bin/sh
case "$*" in *-fsyntax-only*) program=$(cat)
    case "$program" in *jpeglib.h*) exit 1 ;; esac
    printf '%s\\n' "$program" | g++ "$@"; exit ;;
esac
exec g++ "$@"
"""

NO_STATIC_LIBRARY = """#!/bin/sh
case "$*" in *-print-file-name=libjpeg.a*) echo libjpeg.a; exit ;; esac
exec g++ "$@"
"""


FUZZ_TARGET_H = """#include <cstddef>
#include <cstdint>
#include <vector>
using Bytes = std::vector<uint8_t>;
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
"""

SEVEN_FUZZ = """#include "fuzz_target.h"

#include <stdexcept>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > 0 && data[0] == 7) throw std::logic_error("seven");
    return 0;
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the build with three small sources in place of the library's."""
    folder = tmp_path / "project"
    native = folder / "fastload" / "native"
    native.mkdir(parents=True)
    for name in ("setup.py", "pyproject.toml", "README.md", "fastload/version.py"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("exports.map", "libjpeg_stderr.cpp"):
        shutil.copy(ROOT / "fastload/native" / name, native)
    for name, text in SOURCES.items():
        (native / name).write_text(text)
    return folder


def setup(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "setup.py", *arguments],
        cwd=project,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def compiled(result: subprocess.CompletedProcess[str]) -> list[str]:
    assert result.returncode == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines() if line.startswith("  compile")]
    return sorted(Path(name).name for _, name in lines)


def machine_has_avx2() -> bool:
    return "avx2" in Path("/proc/cpuinfo").read_text().split()


def fake_compiler(folder: Path, script: str) -> str:
    program = folder / "compiler"
    program.write_text(script)
    program.chmod(0o755)
    return str(program)


def test_compiles_only_what_changed(project: Path) -> None:
    native = project / "fastload" / "native"
    everything = ["libjpeg_stderr.cpp", "one.cpp", "two.cpp"]
    assert compiled(setup(project, "build_native")) == everything
    assert (native / "libfastload.so").exists()
    assert compiled(setup(project, "build_native")) == []

    (native / "one.h").write_text("int one();\nint more();\n")
    assert compiled(setup(project, "build_native")) == ["one.cpp"]
    assert compiled(setup(project, "build_native", CXXFLAGS="-DOTHER")) == everything


def test_failed_compile_names_the_source_and_keeps_the_library(project: Path) -> None:
    native = project / "fastload" / "native"
    compiled(setup(project, "build_native"))
    before = (native / "libfastload.so").read_bytes()
    (native / "two.cpp").write_text("int two() { return unheard_of; }\n")
    result = setup(project, "build_native")
    assert result.returncode == 1
    assert "could not compile fastload/native/two.cpp" in result.stderr
    assert "unheard_of" in result.stderr
    assert (native / "libfastload.so").read_bytes() == before


@pytest.mark.parametrize(
    ("script", "missing"),
    [(NO_HEADER, "jpeglib.h"), (NO_STATIC_LIBRARY, "libjpeg.a")],
)
def test_missing_libjpeg_is_named_with_its_command(
    project: Path, script: str, missing: str
) -> None:
    result = setup(project, "build_native", CXX=fake_compiler(project, script))
    assert result.returncode == 1
    assert f"{missing}, the" in result.stderr
    assert "is not installed. Install it with" in result.stderr
    assert "libjpeg" in result.stderr.split("Install it with")[1]
    assert "Traceback" not in result.stderr


def test_missing_compiler_is_named_with_its_command(project: Path) -> None:
    result = setup(project, "build_native", CXX="no-such-compiler")
    assert result.returncode == 1
    assert "'no-such-compiler', which $CXX names, is not installed" in result.stderr
    assert "Traceback" not in result.stderr


def test_native_tests_report_what_failed(project: Path) -> None:
    tests = project / "tests" / "native"
    tests.mkdir(parents=True)
    (tests / "right_test.cpp").write_text('#include "one.h"\nint main() { return one() - 1; }\n')
    assert setup(project, "test_native").returncode == 0

    (tests / "wrong_test.cpp").write_text('#include "one.h"\nint main() { return one(); }\n')
    result = setup(project, "test_native", FASTLOAD_SIMD="portable")
    assert result.returncode == 1
    assert "failed under no sanitizer: ['wrong_test with portable']" in result.stderr


def test_native_tests_run_once_for_each_instruction_set(project: Path) -> None:
    tests = project / "tests" / "native"
    tests.mkdir(parents=True)
    (tests / "level_test.cpp").write_text(
        "#include <cstdio>\n"
        "#include <cstdlib>\n"
        'int main() { std::puts(std::getenv("FASTLOAD_SIMD")); }\n'
    )
    levels = ["portable", "avx2", "avx512"]
    run = setup(project, "test_native", FASTLOAD_SIMD="").stdout.splitlines()
    assert [line for line in run if line in levels] == levels[: 3 if machine_has_avx2() else 1]
    run = setup(project, "test_native", FASTLOAD_SIMD="avx2").stdout.splitlines()
    assert [line for line in run if line in levels] == ["avx2"]


def test_native_tests_run_under_sanitizers(project: Path) -> None:
    tests = project / "tests" / "native"
    tests.mkdir(parents=True)
    (tests / "shift_test.cpp").write_text(
        "int main(int count, char**) { return (1 << (count + 31)) == 5; }\n"
    )
    assert setup(project, "test_native").returncode == 0
    result = setup(project, "test_native", "--sanitize=undefined")
    assert result.returncode == 1
    assert "shift exponent 32 is too large" in result.stderr


def test_thread_sanitizer_runs_what_starts_threads(project: Path) -> None:
    native, tests = project / "fastload" / "native", project / "tests" / "native"
    tests.mkdir(parents=True)
    (native / "two.h").write_text("int two();\n")
    (native / "two.cpp").write_text(
        '#include "two.h"\n#include <thread>\nint two() { return 2; }\n'
    )
    programs = {
        "one": '#include "one.h"\n',
        "two": '#include "two.h"\n',
        "own": "#include <thread>\n",
    }
    for name, include in programs.items():
        (tests / f"{name}_test.cpp").write_text(f"{include}int main() {{}}\n")
    result = setup(project, "test_native", "--sanitize=thread", FASTLOAD_SIMD="portable")
    assert result.returncode == 0, result.stderr
    run = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("  run")]
    assert run == ["own_test", "two_test"]


@pytest.fixture
def fuzz_target(project: Path) -> Path:
    """A target that breaks at the byte 7, with a corpus of one file that does not break it."""
    fuzz = project / "tests" / "native" / "fuzz"
    (fuzz / "corpus" / "seven").mkdir(parents=True)
    (fuzz / "corpus" / "seven" / "eight").write_bytes(b"\x08")
    shutil.copy(ROOT / "tests/native/fuzz/replay.cpp", fuzz)
    (fuzz / "fuzz_target.h").write_text(FUZZ_TARGET_H)
    (fuzz / "seven_fuzz.cpp").write_text(SEVEN_FUZZ)
    return fuzz


def test_native_tests_replay_what_is_kept_for_fuzz_targets(
    project: Path, fuzz_target: Path
) -> None:
    assert setup(project, "test_native", "--only=seven").returncode == 0
    found = fuzz_target / "found" / "seven"
    found.mkdir(parents=True)
    (found / "the-seven").write_bytes(b"\x07")
    result = setup(project, "test_native", "--only=seven")
    assert result.returncode == 1
    assert "found/seven/the-seven: seven" in result.stderr
    assert "failed under no sanitizer: ['seven_fuzz with portable'" in result.stderr

    shutil.rmtree(found)
    shutil.rmtree(fuzz_target / "corpus")
    result = setup(project, "test_native", "--only=seven")
    assert result.returncode == 1
    assert "no files to replay" in result.stderr


def test_fuzzing_asks_for_a_target_and_for_clang(project: Path, fuzz_target: Path) -> None:
    result = setup(project, "fuzz_native")
    assert result.returncode == 1
    assert "--target is to be one of seven." in result.stderr
    result = setup(project, "fuzz_native", "--target=seven", CXX="g++")
    assert result.returncode == 1
    assert "g++ cannot link libFuzzer, which comes with clang" in result.stderr
    assert "Install clang with" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(shutil.which("clang++") is None, reason="fuzzing needs clang++")
def test_fuzzing_finds_and_keeps(project: Path, fuzz_target: Path) -> None:
    result = setup(project, "fuzz_native", "--target=seven", "--seconds=60", CXX="clang++")
    assert result.returncode == 1
    assert "is the newest in build/fuzz/seven/found" in result.stderr
    (crash,) = (project / "build/fuzz/seven/found").iterdir()
    assert crash.read_bytes()[:1] == b"\x07"

    (project / "build/fuzz/seven/corpus/again").write_bytes(b"\x08")
    result = setup(project, "fuzz_native", "--target=seven", "--minimise", CXX="clang++")
    assert result.returncode == 0, result.stderr
    kept = [file.read_bytes() for file in (fuzz_target / "corpus" / "seven").iterdir()]
    assert len(kept) == len(set(kept)) > 0


def test_avx512_code_is_emulated_in_tests_alone(project: Path) -> None:
    (project / "fastload" / "native" / "wide_avx512.cpp").write_text(
        "#if !defined(EMULATED) || defined(__AVX512F__)\n"
        "#error the instructions themselves\n"
        "#endif\n"
    )
    tests = project / "tests" / "native"
    tests.mkdir(parents=True)
    (tests / "avx512_emulation.h").write_text("#define EMULATED\n")
    (tests / "wide_test.cpp").write_text("int main() {}\n")
    assert setup(project, "test_native", "--emulate-avx512").returncode == 0
    result = setup(project, "build_native")
    assert result.returncode == 1
    assert "error the instructions themselves" in result.stderr


def test_shared_code_runs_on_every_machine(project: Path) -> None:
    native = project / "fastload" / "native"
    (native / "shared.h").write_text(SHARED_TEMPLATE)
    # Both have a copy of the template's code; that of AVX-512 comes first by name.
    for name in ("a_avx512", "b"):
        caller = f'#include "shared.h"\nint {name}(const int* values) {{ return Sum(values); }}\n'
        (native / f"{name}.cpp").write_text(caller)
    compiled(setup(project, "build_native"))
    disassemble = ["objdump", "--disassemble", "--demangle", str(native / "libfastload.so")]
    code = subprocess.run(disassemble, capture_output=True, text=True, check=True).stdout
    _, _, shared = code.partition("<int Sum<int>(int const*)>:")
    body, found, _ = shared.partition("ret")
    assert found
    assert "ymm" not in body
    assert "zmm" not in body
