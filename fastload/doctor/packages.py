"""Python and the packages that fastload needs, with their versions."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib import metadata

from fastload.doctor.finding import Finding, good, lack
from fastload.version import __version__

__all__ = ["look_at_packages"]

_REQUIREMENT = re.compile(r"([\w.-]+)\s*>=\s*([\d.]+)$")


def look_at_packages() -> Iterator[Finding]:
    """Fastload itself, and each package that it requires."""
    yield good("fastload", f"{__version__}, Python {platform.python_version()}")
    try:
        required = metadata.requires("fastload") or []
    except metadata.PackageNotFoundError:
        yield lack(
            "packages",
            "fastload is on the path, but not installed",
            "pip install . (in a checkout: pip install --editable .)",
        )
        return
    for requirement in required:
        found = _REQUIREMENT.match(requirement)
        if found:
            yield _package(found[1], found[2])


def _package(name: str, least: str) -> Finding:
    remedy = f'pip install "{name}>={least}"'
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return lack(name, f"not installed; {least} or later is needed", remedy)
    if _numbers(version) < _numbers(least):
        return lack(name, f"{version}; {least} or later is needed", remedy)
    return good(name, version)


def _numbers(version: str) -> list[int]:
    """The release of a version.

    >>> _numbers("2.14.1+cu130") < _numbers("2.15"), _numbers("8.2.0rc1")
    (True, [8, 2, 0])
    """
    release = re.match(r"\d+(\.\d+)*", version)
    return [int(number) for number in release[0].split(".")] if release else []
