"""What one look at the machine finds."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Finding", "State", "good", "lack", "note"]


class State(str, enum.Enum):
    """How a finding is to be taken."""

    GOOD = "good"
    NOTE = "note"
    """Something optional is missing, or could be better."""
    LACK = "lack"
    """fastload does not work, or not as it should."""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's.

    Attributes:
        name: what was looked at.
        state: how it is.
        found: what is there, in words.
        remedy: what to do about it; "" where nothing is to be done.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


def good(name: str, found: str) -> Finding:
    """All is well."""
    return Finding(name, State.GOOD, found)


def note(name: str, found: str, remedy: str = "") -> Finding:
    """Fine for most, and what to do for the others."""
    return Finding(name, State.NOTE, found, remedy)


def lack(name: str, found: str, remedy: str) -> Finding:
    """Something to be mended, and how."""
    return Finding(name, State.LACK, found, remedy)
