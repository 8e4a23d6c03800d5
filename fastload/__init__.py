"""fastload: pack a label folder once, then load it several times faster.

``fastload.ImageFolder`` and ``fastload.DataLoader`` take the place of torchvision's and torch's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastload.version import __version__

if TYPE_CHECKING:
    from fastload.dataset import ImageFolder
    from fastload.errors import FastloadError, PackError, RecordError
    from fastload.loader import DataLoader
    from fastload.pack import pack
    from fastload.pack.append import append

__all__ = [
    "DataLoader",
    "FastloadError",
    "ImageFolder",
    "PackError",
    "RecordError",
    "__version__",
    "append",
    "pack",
]

_HOMES = {
    "DataLoader": "fastload.loader",
    "FastloadError": "fastload.errors",
    "ImageFolder": "fastload.dataset",
    "PackError": "fastload.errors",
    "RecordError": "fastload.errors",
    "append": "fastload.pack.append",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: the command line needs no torch."""
    from importlib import import_module

    if name == "pack":  # a package that can be called
        return import_module("fastload.pack")
    if name not in _HOMES:
        raise AttributeError(f"module 'fastload' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
