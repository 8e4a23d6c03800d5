"""The native library: whether it loads, what is in it, and which instructions it uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from fastload.doctor.finding import Finding, good, lack, note
from fastload.measure.machine import this_machine

__all__ = ["look_at_native"]

_VARIABLE = "FASTLOAD_SIMD"


def look_at_native(cpuinfo: Path = Path("/proc/cpuinfo")) -> Iterator[Finding]:
    """The library, its libjpeg-turbo, its SIMD level."""
    try:
        from fastload.native import library
    except (ImportError, AttributeError) as error:
        yield lack(
            "native library",
            str(error),
            "make native (in a checkout) or pip install --force-reinstall --no-deps fastload; "
            'until then DataLoader(engine="torch") works, slowly',
        )
        return
    facts = library.describe_library()
    yield good("native library", str(library.LIBRARY_PATH))
    yield _libjpeg(facts.libjpeg_turbo)
    yield _simd(facts.simd, library.SIMD_LEVELS, cpuinfo)


def _libjpeg(version: str) -> Finding:
    name = "libjpeg-turbo"
    if version:
        return good(name, f"{version}, inside of the native library")
    return lack(
        name,
        "the native library was built with another libjpeg",
        "build it with libjpeg-turbo, whose pixels are Pillow's: apt-get install libjpeg-dev, "
        "then make native",
    )


def _simd(level: str, levels: tuple[str, ...], cpuinfo: Path) -> Finding:
    wish = os.environ.get(_VARIABLE, "")
    if wish and wish not in levels:
        return note(
            "SIMD",
            f"{level}; {_VARIABLE}={wish} names no level and is ignored",
            f"unset {_VARIABLE}, or one of {', '.join(levels)}",
        )
    if wish and wish != levels[-1]:
        return note(
            "SIMD",
            f"{level}, since {_VARIABLE}={wish} allows no more",
            f"unset {_VARIABLE} for the fastest that the processor has",
        )
    if level == levels[0]:
        flags = ", ".join(this_machine(cpuinfo).simd) or "none of what was asked for"
        return note(
            "SIMD",
            f"portable code: several times slower than AVX2, which the processor lacks ({flags})",
            "a machine with AVX2 (since 2013 from Intel, since 2015 from AMD); in a virtual "
            "machine, let the guest see the host's instructions",
        )
    return good("SIMD", level)
