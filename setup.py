"""Builds the native library, a plain shared library, by calling the C++ compiler.

`pip install .` and `pip wheel .` come here by themselves. For work on the sources:

    python setup.py build_native                      build fastload/native/libfastload.so in place
    python setup.py test_native                       build and run tests/native/*_test.cpp, and
                                                      replay the corpora of tests/native/fuzz
    python setup.py test_native --sanitize=thread     ThreadSanitizer: those that start threads
    python setup.py fuzz_native --target=dct          look for bytes that break a reader (clang)

test_native runs every program once for each instruction set, or for that in $FASTLOAD_SIMD alone.
AVX-512 code runs everywhere: tests/native/avx512_emulation.h takes the place of the instructions on
a machine without them, and on every machine with --emulate-avx512.

All four compile only what changed. $CXX names another compiler; $CXXFLAGS and $LDFLAGS are
appended; g++ and clang++ also search $CPATH for headers and $LIBRARY_PATH for libraries.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from setuptools import Command, Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SOURCES = ROOT / "fastload" / "native"
LIBRARY = SOURCES / "libfastload.so"
EXPORTS = SOURCES / "exports.map"
TESTS = ROOT / "tests" / "native"
FUZZ = TESTS / "fuzz"
OBJECTS = ROOT / "build" / "native"

# Two: a compile of one source takes up to 1 GB, and small machines build this too.
PARALLEL_JOBS = 2

BASE_FLAGS = ("-std=c++20", "-fPIC", "-fvisibility=hidden", "-march=x86-64-v2", "-pthread", "-g")
WARNINGS = ("-Wall", "-Wextra", "-Werror")

# Sources named for an instruction set are entered only where the CPU has it: they alone may use it.
SIMD_FLAGS = {
    "_avx2": ("-mavx2", "-mfma", "-mbmi", "-mbmi2"),
    "_avx512": (
        "-mavx512f",
        "-mavx512bw",
        "-mavx512vl",
        "-mavx512dq",
        "-mavx512vbmi",
        "-mavx512vbmi2",
        "-mavx512vnni",
        "-mavx2",
        "-mfma",
        "-mbmi",
        "-mbmi2",
        # g++ 12 takes its own header's _mm512_undefined_epi32 for a mistake (GCC bug 105593).
        "-Wno-uninitialized",
        "-Wno-maybe-uninitialized",
        "-Wno-unknown-warning-option",  # clang++ does not know the one above
    ),
}

EMULATED_AVX512_FLAGS = (
    *SIMD_FLAGS["_avx2"],
    "-include",
    str(TESTS / "avx512_emulation.h"),
    # Kernels start no threads, and every lane of theirs is now several accesses to memory.
    "-fno-sanitize=thread",
)

# fastload/native/simd_level.cpp then takes emulated instructions for the machine's own.
EMULATED_LEVEL_FLAGS = ("-DFASTLOAD_EMULATES_AVX512",)

# What fastload/native/simd_level.cpp asks the CPU for, as Linux names it.
AVX2_FEATURES = frozenset(("avx2", "fma", "bmi1", "bmi2"))
AVX512_FEATURES = AVX2_FEATURES | frozenset(
    ("avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512vbmi", "avx512_vbmi2", "avx512_vnni")
)

# Every link: fastload/native/libjpeg_stderr.cpp tells why.
LINK_FLAGS = ("-pthread", "-Wl,--wrap=stderr")

# libjpeg and the C++ runtime go into the library, so that the wheel needs neither on its machine;
# their names stay inside, so that they cannot meet those of Pillow's or torchvision's copies.
LIBRARY_LINK_FLAGS = (
    "-shared",
    "-static-libstdc++",
    "-static-libgcc",
    f"-Wl,--version-script={EXPORTS}",
    "-Wl,-z,defs",
)

# libFuzzer watches which code the input reaches; libjpeg.a, compiled without it, it cannot see.
FUZZ_FLAGS = ("-fsanitize=fuzzer,address,undefined", "-fno-omit-frame-pointer")
# What is kept of a corpus in the repository, the smallest files first.
CORPUS_BYTES = 60_000

FUZZ_LIMITS = (
    "-max_len=4096",  # bytes: small input reaches all code, and is quick
    "-timeout=10",  # seconds for one input
    "-malloc_limit_mb=256",  # one allocation: small input must not get much memory
    "-rss_limit_mb=2048",
)

# libjpeg-turbo's licence asks that its notice goes with every binary.
LIBJPEG_NOTICES = tuple(
    Path("/usr/share/doc") / package / "copyright"
    for package in ("libjpeg62-turbo-dev", "libjpeg-turbo8-dev", "libjpeg62-turbo")
)
NOTICE = "libjpeg-turbo.copyright"

INSTALL_JPEG = {
    "apt-get": "sudo apt-get install libjpeg-dev",
    "dnf": "sudo dnf install libjpeg-turbo-devel libjpeg-turbo-static",
    "zypper": "sudo zypper install libjpeg8-devel libjpeg8-devel-static",
    "pacman": "sudo pacman -S libjpeg-turbo",
}
INSTALL_COMPILER = {
    "apt-get": "sudo apt-get install g++",
    "dnf": "sudo dnf install gcc-c++",
    "zypper": "sudo zypper install gcc-c++",
    "pacman": "sudo pacman -S gcc",
}
INSTALL_CLANG = {
    "apt-get": "sudo apt-get install clang",
    "dnf": "sudo dnf install clang compiler-rt",
    "zypper": "sudo zypper install clang",
    "pacman": "sudo pacman -S clang compiler-rt",
}


class NativeBuildError(SystemExit):
    """Ends the build with a message and no traceback."""

    def __init__(self, message: str) -> None:
        super().__init__(f"\nfastload: {message}\n")


def install_command(commands: dict[str, str]) -> str:
    """Return the command that installs a package here, Debian's where the system is not known."""
    for tool, command in commands.items():
        if shutil.which(tool):
            return command
    return commands["apt-get"]


@dataclass(frozen=True)
class Toolchain:
    """A C++20 compiler and the static libjpeg that it finds."""

    compiler: tuple[str, ...]
    libjpeg: str

    @classmethod
    def find(cls) -> Toolchain:
        """Look for all that the build needs; raise NativeBuildError naming what is missing."""
        cls._require_platform()
        return cls._with_libjpeg(cls._find_compiler("g++", INSTALL_COMPILER))

    @classmethod
    def find_for_fuzzing(cls) -> Toolchain:
        """As `find`; the compiler has libFuzzer."""
        cls._require_platform()
        compiler = cls._find_compiler("clang++", INSTALL_CLANG)
        cls._require_libfuzzer(compiler)
        return cls._with_libjpeg(compiler)

    @staticmethod
    def _require_platform() -> None:
        if sys.platform != "linux" or platform.machine() != "x86_64":
            raise NativeBuildError(
                f"the native library is written for Linux on x86-64; this is {sys.platform} on "
                f"{platform.machine()}."
            )

    @classmethod
    def _with_libjpeg(cls, compiler: tuple[str, ...]) -> Toolchain:
        cls._require_cxx20(compiler)
        cls._require_header(compiler)
        return cls(compiler, cls._find_libjpeg(compiler))

    @staticmethod
    def _find_compiler(usual: str, install: dict[str, str]) -> tuple[str, ...]:
        named = os.environ.get("CXX", "").strip()
        compiler = tuple(shlex.split(named)) if named else (usual,)
        if shutil.which(compiler[0]) is None:
            origin = "which $CXX names, " if named else ""
            raise NativeBuildError(
                f"the C++ compiler {compiler[0]!r}, {origin}is not installed. Install one with\n\n"
                f"    {install_command(install)}\n\nor name another one in $CXX."
            )
        return compiler

    @staticmethod
    def _compiles(
        compiler: tuple[str, ...], text: str, *flags: str
    ) -> subprocess.CompletedProcess[str]:
        command = [*compiler, "-x", "c++", "-fsyntax-only", *flags, "-"]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    @classmethod
    def _require_cxx20(cls, compiler: tuple[str, ...]) -> None:
        probe = "#include <bit>\n#include <span>\n#include <stop_token>\n#include <thread>\n"
        result = cls._compiles(compiler, probe, "-std=c++20", "-march=x86-64-v2", "-mavx512vbmi2")
        if result.returncode != 0:
            raise NativeBuildError(
                f"{shlex.join(compiler)} cannot compile C++20 for x86-64 (g++ 11 and clang 14 can):"
                f"\n\n{result.stderr.strip()}\n\nInstall a newer one, or name it in $CXX."
            )

    @staticmethod
    def _require_libfuzzer(compiler: tuple[str, ...]) -> None:
        program = 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }'
        command = [*compiler, *FUZZ_FLAGS, "-x", "c++", "-o", os.devnull, "-"]
        linked = subprocess.run(command, input=program, capture_output=True, text=True, check=False)
        if linked.returncode != 0:
            raise NativeBuildError(
                f"{shlex.join(compiler)} cannot link libFuzzer, which comes with clang:"
                f"\n\n{linked.stderr.strip()}\n\nInstall clang with\n\n"
                f"    {install_command(INSTALL_CLANG)}\n\nor name it in $CXX."
            )

    @classmethod
    def _require_header(cls, compiler: tuple[str, ...]) -> None:
        flags = shlex.split(os.environ.get("CXXFLAGS", ""))
        # jpeglib.h takes size_t and FILE for granted.
        result = cls._compiles(compiler, "#include <cstdio>\n#include <jpeglib.h>\n", *flags)
        if result.returncode != 0:
            raise NativeBuildError(
                "jpeglib.h, the header of libjpeg-turbo, is not installed. Install it with\n\n"
                f"    {install_command(INSTALL_JPEG)}\n\nor name its folder in $CPATH."
            )

    @staticmethod
    def _find_libjpeg(compiler: tuple[str, ...]) -> str:
        command = [*compiler, "-print-file-name=libjpeg.a"]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        if not Path(found).is_absolute():
            raise NativeBuildError(
                "libjpeg.a, the static library of libjpeg-turbo, is not installed. Install it with"
                f"\n\n    {install_command(INSTALL_JPEG)}\n\nor name its folder in $LIBRARY_PATH."
            )
        return found


@dataclass(frozen=True)
class NativeBuild:
    """The sources compiled with one set of flags into one folder of objects."""

    toolchain: Toolchain
    objects: Path
    flags: tuple[str, ...] = ("-O3",)
    emulate_avx512: bool = False

    def compile(self, sources: Sequence[Path]) -> list[Path]:
        """Compile what is older than its source, its headers or its flags; return all objects."""
        self.objects.mkdir(parents=True, exist_ok=True)
        stale = [source for source in sources if not self._is_fresh(source)]
        with ThreadPoolExecutor(PARALLEL_JOBS) as jobs:
            failures = [message for message in jobs.map(self._compile_one, stale) if message]
        if failures:
            raise NativeBuildError("\n\n".join(failures))
        return [self.object_of(source) for source in sources]

    def link(self, target: Path, objects: Sequence[Path], flags: Sequence[str]) -> None:
        """Link objects and libjpeg into target, which appears whole or not at all."""
        scratch = target.with_name(f"{target.name}.{os.getpid()}")
        extra = shlex.split(os.environ.get("LDFLAGS", ""))
        command = [
            *self.toolchain.compiler,
            *LINK_FLAGS,
            *flags,
            "-o",
            str(scratch),
            *map(str, sorted(objects, key=_instruction_set)),
            self.toolchain.libjpeg,
            *extra,
        ]
        message = _run(command, f"link {_shown(target)}")
        if message:
            raise NativeBuildError(message)
        scratch.replace(target)

    def _command(self, source: Path) -> list[str]:
        extra = shlex.split(os.environ.get("CXXFLAGS", ""))
        include = f"-I{SOURCES}"
        compiler = self.toolchain.compiler
        simd = self._simd_flags(source)
        return [*compiler, "-c", *BASE_FLAGS, *WARNINGS, *self.flags, *simd, include, *extra]

    def _simd_flags(self, source: Path) -> tuple[str, ...]:
        if self.emulate_avx512 and source.stem.endswith("_avx512"):
            return EMULATED_AVX512_FLAGS
        if self.emulate_avx512 and source.stem == "simd_level":
            return EMULATED_LEVEL_FLAGS
        return next((f for end, f in SIMD_FLAGS.items() if source.stem.endswith(end)), ())

    def object_of(self, source: Path) -> Path:
        """Return where a source's object is."""
        return self.objects / f"{source.stem}.o"

    def _is_fresh(self, source: Path) -> bool:
        target = self.object_of(source)
        command = target.with_suffix(".command")
        if not (target.exists() and command.exists()):
            return False
        if command.read_text() != shlex.join(self._command(source)):
            return False
        built = target.stat().st_mtime_ns
        return all(p.exists() and p.stat().st_mtime_ns <= built for p in self._inputs(source))

    def _inputs(self, source: Path) -> Iterator[Path]:
        """Yield the files that went into the object, from the compiler's own make rule."""
        yield source
        rule = self.object_of(source).with_suffix(".d")
        if rule.exists():
            text = rule.read_text().replace("\\\n", " ")
            yield from map(Path, text.partition(": ")[2].split())

    def _compile_one(self, source: Path) -> str:
        target = self.object_of(source)
        rule = target.with_suffix(".d")
        command = self._command(source)
        started = _now_ns(self.objects)
        message = _run(
            [*command, "-MMD", "-MF", str(rule), "-o", str(target), str(source)],
            f"compile {_shown(source)}",
        )
        if message:
            target.unlink(missing_ok=True)
            return message
        # A source saved while it was compiled has to look newer than what came of it.
        os.utime(target, ns=(started, started))
        target.with_suffix(".command").write_text(shlex.join(command))
        return ""


def _instruction_set(compiled: Path) -> int:
    """Return where an object is linked: the linker keeps the first copy of what several have.

    A template's code may be in an object for AVX2 and in one for all machines; the others call
    the copy that is kept.
    """
    ends = list(SIMD_FLAGS)
    return next((1 + ends.index(end) for end in ends if compiled.stem.endswith(end)), 0)


def _now_ns(folder: Path) -> int:
    """Return the time as the file system of folder stamps it."""
    with tempfile.NamedTemporaryFile(dir=folder) as stamp:
        return Path(stamp.name).stat().st_mtime_ns


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _run(command: Sequence[str], task: str) -> str:
    """Run a compiler; return what it said where it failed, else nothing."""
    # One write: print would send the line's end apart, and two jobs' lines would run together.
    sys.stdout.write(f"  {task}\n")
    sys.stdout.flush()
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return ""
    return f"could not {task}:\n\n{shlex.join(command)}\n{result.stderr.strip()}"


def machine_has(features: frozenset[str]) -> bool:
    """Return whether the CPU has all these features."""
    _, _, rest = Path("/proc/cpuinfo").read_text().partition("\nflags")
    return features.issubset(rest.partition("\n")[0].split())


def testable_levels() -> tuple[str, ...]:
    """Return the values of $FASTLOAD_SIMD to test, AVX-512 being emulated where it is missing."""
    named = os.environ.get("FASTLOAD_SIMD")
    if named:
        return (named,)
    # The emulation is compiled for AVX2.
    return ("portable", "avx2", "avx512") if machine_has(AVX2_FEATURES) else ("portable",)


@contextlib.contextmanager
def one_build_at_a_time(folder: Path) -> Iterator[None]:
    """Keep two builds of one tree (an editor's and a shell's, say) from mixing their objects."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def library_sources() -> list[Path]:
    """Return every source of the native library."""
    sources = sorted(SOURCES.glob("*.cpp"))
    if not sources:
        raise NativeBuildError(f"there is no C++ source in {SOURCES}: the checkout is not whole.")
    return sources


def build_library(target: Path) -> None:
    """Build the native library at target where it is older than what it is made of."""
    with one_build_at_a_time(OBJECTS):
        build = NativeBuild(Toolchain.find(), OBJECTS)
        objects = build.compile(library_sources())
        made_of = objects_stamp(build, objects)
        stamp = OBJECTS / f"linked-{abs(hash_path(target)):x}"
        if not (target.exists() and stamp.exists() and stamp.read_text() == made_of):
            build.link(target, objects, LIBRARY_LINK_FLAGS)
            stamp.write_text(made_of)
    for notice in LIBJPEG_NOTICES:
        if notice.exists():
            shutil.copyfile(notice, target.with_name(NOTICE))
            break


def objects_stamp(build: NativeBuild, objects: Sequence[Path]) -> str:
    """Return text that changes whenever the linked library would."""
    lines = [f"{o.name} {o.stat().st_mtime_ns}" for o in objects]
    lines += [
        EXPORTS.read_text(),
        build.toolchain.libjpeg,
        *LIBRARY_LINK_FLAGS,
        os.environ.get("LDFLAGS", ""),
    ]
    return "\n".join(lines)


def hash_path(path: Path) -> int:
    """Return a number that names path the same way in every process (Python salts its own hash)."""
    return int.from_bytes(str(path.resolve()).encode(), "big") % (2**61 - 1)


class BuildNative(Command):
    """Builds the native library in place."""

    description = "build fastload/native/libfastload.so in place"
    user_options: ClassVar[list[tuple[str, str | None, str]]] = []

    def initialize_options(self) -> None:
        """Do nothing: there is no option."""

    def finalize_options(self) -> None:
        """Do nothing: there is no option."""

    def run(self) -> None:
        """Build the library."""
        build_library(LIBRARY)
        print(f"  {_shown(LIBRARY)} is up to date")


@dataclass(frozen=True)
class TestProgram:
    """A program of tests/native: what it is made of beside the library, and its arguments."""

    sources: tuple[Path, ...]
    arguments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its own source, the first one."""
        return self.sources[0].stem


def replay_of(target: Path) -> TestProgram:
    """Return the program that feeds a fuzz target the files that are kept for it."""
    kept = (FUZZ / "corpus" / target_name(target), FUZZ / "found" / target_name(target))
    folders = tuple(str(folder) for folder in kept if folder.exists())
    return TestProgram((target, FUZZ / "replay.cpp"), folders)


def starts_threads(program: TestProgram) -> bool:
    """Whether something that a program is made of includes <thread>.

    Its parts are its own sources, the headers they include and the sources of these headers. Of
    capi.h tests want the types alone: the door leads everywhere.
    """
    found = {SOURCES / "capi.cpp"}
    left = [*program.sources]
    while left:
        source = left.pop()
        if source in found or not source.exists():
            continue
        found.add(source)
        text = source.read_text()
        if "#include <thread>" in text:
            return True
        folders = (source.parent, TESTS, SOURCES)
        left += [f / name for name in re.findall(r'#include "(.+)"', text) for f in folders]
        left.append(source.with_suffix(".cpp"))
    return False


def target_name(target: Path) -> str:
    """Return the name that --target takes."""
    return target.stem.removesuffix("_fuzz")


class TestNative(Command):
    """Builds the programs tests/native/*_test.cpp and runs them; main() returns 0 on success.

    A fuzz target, tests/native/fuzz/*_fuzz.cpp, becomes a program that replays its corpus.
    """

    description = "build and run tests/native/*_test.cpp, replay the corpora of the fuzz targets"
    user_options: ClassVar[list[tuple[str, str | None, str]]] = [
        ("sanitize=", None, "sanitizers to build with, as -fsanitize= takes them"),
        ("only=", None, "run what has this name, without _test.cpp or _fuzz.cpp"),
        ("emulate-avx512", None, "run AVX-512 code as plain C++ even if the machine has AVX-512"),
    ]
    boolean_options: ClassVar[list[str]] = ["emulate-avx512"]

    def initialize_options(self) -> None:
        """Set the options to what they are when not given."""
        self.sanitize = ""
        self.only = ""
        self.emulate_avx512 = False

    def finalize_options(self) -> None:
        """Choose the folder of the objects by the sanitizers."""
        self.objects = ROOT / "build" / f"native-test-{self.sanitize.replace(',', '-') or 'plain'}"

    def run(self) -> None:
        """Build all programs, then run each on each level; end with an error naming failures."""
        wanted = self.only or "*"
        programs = [TestProgram((test,)) for test in sorted(TESTS.glob(f"{wanted}_test.cpp"))]
        programs += map(replay_of, sorted(FUZZ.glob(f"{wanted}_fuzz.cpp")))
        if not programs:
            raise NativeBuildError(f"no {wanted}_test.cpp in {_shown(TESTS)}.")
        if self.sanitize == "thread" and not self.only:
            # It looks for races alone, and of these one thread has none.
            programs = [program for program in programs if starts_threads(program)]
        with one_build_at_a_time(self.objects):
            self._build(programs)
        failed = [
            f"{program.name} with {level}"
            for program in programs
            for level in testable_levels()
            if not self._passes(program, level)
        ]
        if failed:
            raise NativeBuildError(f"failed under {self.sanitize or 'no sanitizer'}: {failed}")

    def _build(self, programs: Sequence[TestProgram]) -> None:
        # Reports name lines, not variables: without these a quarter less is to be compiled.
        sanitize = (f"-fsanitize={self.sanitize}", "-fno-omit-frame-pointer", "-g1")
        extra = (*sanitize, "-fno-sanitize-recover=all") if self.sanitize else ()
        emulate_avx512 = bool(self.emulate_avx512) or not machine_has(AVX512_FEATURES)
        build = NativeBuild(Toolchain.find(), self.objects, ("-O1", *extra), emulate_avx512)
        library = build.compile(library_sources())
        build.compile(sorted({source for program in programs for source in program.sources}))
        for program in programs:
            build.link(
                self.objects / program.name,
                [*(build.object_of(source) for source in program.sources), *library],
                extra,
            )

    def _passes(self, program: TestProgram, level: str) -> bool:
        # ThreadSanitizer's shadow memory does not fit every layout that the kernel randomises to.
        fixed_layout = ["setarch", platform.machine(), "--addr-no-randomize"]
        prefix = fixed_layout if "thread" in self.sanitize and shutil.which("setarch") else []
        command = [*prefix, str(self.objects / program.name), *program.arguments]
        print(f"  run {program.name} ({level}, {self.sanitize or 'no sanitizer'})", flush=True)
        environment = os.environ | {"FASTLOAD_SIMD": level}
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


class FuzzNative(Command):
    """Lets libFuzzer look for bytes that break a reader: tests/native/fuzz/*_fuzz.cpp.

    What it learns is kept in build/fuzz and taken up again by the next run.
    """

    description = "look for bytes that break a reader, with clang's libFuzzer"
    user_options: ClassVar[list[tuple[str, str | None, str]]] = [
        ("target=", None, "the source of this name in tests/native/fuzz, without _fuzz.cpp"),
        ("seconds=", None, "how long (default: 600)"),
        ("minimise", None, "no search: make a small corpus of all that was learnt, in the tests"),
    ]
    boolean_options: ClassVar[list[str]] = ["minimise"]

    def initialize_options(self) -> None:
        """Set the options to what they are when not given."""
        self.target = ""
        self.seconds = "600"
        self.minimise = False

    def finalize_options(self) -> None:
        """Check the options and find the target's folders."""
        names = sorted(map(target_name, FUZZ.glob("*_fuzz.cpp")))
        if self.target not in names:
            raise NativeBuildError(f"--target is to be one of {', '.join(names)}.")
        if not (self.seconds.isdecimal() and int(self.seconds) > 0):
            raise NativeBuildError(f"--seconds={self.seconds} is no number above 0.")
        self.corpus = FUZZ / "corpus" / self.target
        self.learnt = ROOT / "build" / "fuzz" / self.target / "corpus"
        self.found = ROOT / "build" / "fuzz" / self.target / "found"

    def run(self) -> None:
        """Build the target; then search, or merge what searches learnt."""
        program = self._build()
        for folder in (self.corpus, self.learnt, self.found):
            folder.mkdir(parents=True, exist_ok=True)
        if self.minimise:
            self._minimise(program)
        elif self._fuzz(program, f"-max_total_time={self.seconds}", self.learnt, self.corpus) != 0:
            raise NativeBuildError(
                f"{self.target}: the input that failed is the newest in {_shown(self.found)}. Keep "
                f"it in {_shown(FUZZ / 'found' / self.target)}, where test_native replays it."
            )

    def _build(self) -> Path:
        objects = ROOT / "build" / "native-fuzz"
        with one_build_at_a_time(objects):
            flags = ("-O2", *FUZZ_FLAGS, "-fno-sanitize-recover=all")
            build = NativeBuild(Toolchain.find_for_fuzzing(), objects, flags)
            sources = [FUZZ / f"{self.target}_fuzz.cpp", *library_sources()]
            program = objects / f"{self.target}_fuzz"
            build.link(program, build.compile(sources), FUZZ_FLAGS)
        return program

    def _fuzz(self, program: Path, *arguments: str | Path) -> int:
        prefix = f"-artifact_prefix={self.found}/"
        command = [program, *FUZZ_LIMITS, prefix, "-print_final_stats=1", *arguments]
        return subprocess.run(command, cwd=ROOT, check=False).returncode

    def _minimise(self, program: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self.learnt.parent) as scratch:
            merged = Path(scratch, "merged")
            merged.mkdir()
            if self._fuzz(program, "-set_cover_merge=1", merged, self.learnt, self.corpus) != 0:
                raise NativeBuildError(f"{self.target}: could not merge the corpora.")
            shutil.rmtree(self.corpus)
            self.corpus.mkdir()
            room = CORPUS_BYTES
            for file in sorted(merged.iterdir(), key=lambda file: (file.stat().st_size, file.name)):
                room -= file.stat().st_size
                if room >= 0:
                    shutil.copy(file, self.corpus)


class BuildPyWithLibrary(build_py):
    """Adds the native library: in place for an editable install, else to the built copy."""

    def run(self) -> None:
        """Copy the Python files, then build the library next to its loader."""
        package = Path(self.build_lib).resolve() / "fastload"
        if not self.editable_mode:
            # What an earlier build copied and the sources no longer have must not be packaged.
            shutil.rmtree(package, ignore_errors=True)
        super().run()
        if self.editable_mode:
            build_library(LIBRARY)
        else:
            folder = package / "native"
            folder.mkdir(parents=True, exist_ok=True)
            build_library(folder / LIBRARY.name)


class WheelForEveryPython(bdist_wheel):
    """Tags the wheel by platform alone: ctypes loads the library, so no Python ABI is in it."""

    def finalize_options(self) -> None:
        """Mark the wheel as not pure, since it holds machine code."""
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        """Return the tag of any Python 3 on this platform."""
        return ("py3", "none", super().get_tag()[2])


class BinaryDistribution(Distribution):
    """A distribution with machine code in it, though without an extension module."""

    def has_ext_modules(self) -> bool:
        """Answer yes, so that the package goes to platlib."""
        return True


setup(
    distclass=BinaryDistribution,
    cmdclass={
        "bdist_wheel": WheelForEveryPython,
        "build_native": BuildNative,
        "build_py": BuildPyWithLibrary,
        "fuzz_native": FuzzNative,
        "test_native": TestNative,
    },
)
