"""fastload: pack a label folder once, then load it several times faster.

``fastload.ImageFolder`` and ``fastload.DataLoader`` take the place of torchvision's and torch's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastload.version import __version__

if TYPE_CHECKING:
    from fastload.dataset import ImageFolder
    from fastload.epoch_report import describe_epoch
    from fastload.errors import FastloadError, PackError, RecordError
    from fastload.loader import DataLoader
    from fastload.pack import pack
    from fastload.pack.append import append
    from fastload.sample import BalancedSampler
    from fastload.sample.folds import folds, holdout
    from fastload.store import Split

__all__ = [
    "BalancedSampler",
    "DataLoader",
    "FastloadError",
    "ImageFolder",
    "PackError",
    "RecordError",
    "Split",
    "__version__",
    "append",
    "describe_epoch",
    "folds",
    "holdout",
    "pack",
]

_HOMES = {
    "BalancedSampler": "fastload.sample",
    "DataLoader": "fastload.loader",
    "FastloadError": "fastload.errors",
    "ImageFolder": "fastload.dataset",
    "PackError": "fastload.errors",
    "RecordError": "fastload.errors",
    "append": "fastload.pack.append",
    "Split": "fastload.store",
    "describe_epoch": "fastload.epoch_report",
    "folds": "fastload.sample.folds",
    "holdout": "fastload.sample.folds",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: the command line needs no torch."""
    from importlib import import_module

    if name == "pack":  # a package that can be called
        return import_module("fastload.pack")
    if name not in _HOMES:
        raise AttributeError(f"module 'fastload' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
