"""Doctests of rooms that stand on an optional library are collected where it is installed."""

from __future__ import annotations

from importlib.util import find_spec

OPTIONAL = {"nvidia.dali": "fastload/engines/dali", "ffcv": "fastload/engines/ffcv"}


def installed(library: str) -> bool:
    """Whether a module can be found; a missing parent of it is no error."""
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:
        return False


collect_ignore = [room for library, room in OPTIONAL.items() if not installed(library)]
