"""What is installed and allowed on this machine, and what to do about each lack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from fastload.doctor.engines import look_at_engines
from fastload.doctor.finding import Finding, State, lack
from fastload.doctor.graphics import look_at_graphics
from fastload.doctor.limits import look_at_limits
from fastload.doctor.native import look_at_native
from fastload.doctor.packages import look_at_packages
from fastload.doctor.place import look_at_place
from fastload.doctor.processors import look_at_processors

__all__ = ["AREAS", "Finding", "State", "examine", "findings_of"]

AREAS: dict[str, Callable[[], Iterator[Finding]]] = {
    "packages": look_at_packages,
    "native library": look_at_native,
    "processors and memory": look_at_processors,
    "limits": look_at_limits,
    "GPU": look_at_graphics,
    "engines": look_at_engines,
}
"""What is looked at, in this order."""


def examine(folder: Path | None = None) -> Iterator[tuple[str, list[Finding]]]:
    """Look at everything; the name of each area with its findings.

    Args:
        folder: a pack or label folder to be looked at as well.

    >>> area, findings = next(examine())
    >>> area, findings[0].name, findings[0].state.value
    ('packages', 'fastload', 'good')
    """
    areas = dict(AREAS)
    if folder is not None:
        areas["data"] = lambda: look_at_place(folder)
    for name, look in areas.items():
        yield name, findings_of(name, look)


def findings_of(name: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """The findings of an area; a look that fails is one of them."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except Exception as error:  # noqa: BLE001 - whatever is broken here, the rest is to be told
        found.append(
            lack(
                name,
                f"could not be looked at: {type(error).__name__}: {error}",
                "this is unexpected: please report it with the output of fastload doctor --json",
            )
        )
    return found
