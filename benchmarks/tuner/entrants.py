"""The two loaders that are tuned, the grid of each, and whole epochs as a user has them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Any

from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

import fastload
from fastload.cpus import usable_cpus
from fastload.presets import preset
from fastload.tune import FolderSettings, PackSettings, Settings, Tuning, tune_folder, tune_pack

BATCH = 128
TRANSFORM = "train"
PREFETCH = (2, 4, 8)


@dataclass(frozen=True)
class Entrant:
    """What is tuned.

    Attributes:
        name: in the table.
        cells: of the grid.
        make: a loader of a setting.
        tune: asks the tuner.
        untimed: epochs before the clock runs: files and, where there is one, the cache are full.
        seconds: at least so long, and two epochs, while it runs.
    """

    name: str
    cells: Sequence[Settings]
    make: Callable[[Settings], Any]
    tune: Callable[[], Tuning]
    untimed: int
    seconds: float

    def rate(self, settings: Settings) -> float:
        """Images/s over whole epochs, from the end of one to the end of another."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "This DataLoader will create")
            loader = self.make(settings)
            for _ in range(self.untimed):
                _epoch(loader)
            start, images, epochs = perf_counter(), 0, 0
            while epochs < 2 or perf_counter() - start < self.seconds:
                images, epochs = images + _epoch(loader), epochs + 1
            rate = images / (perf_counter() - start)
        close = getattr(loader, "close", None)
        if close is not None:
            close()
        return rate


def _epoch(loader: Any) -> int:
    return sum(len(labels) for _, labels in loader)


def folder(photos: Path, seconds: float) -> Entrant:
    """The ImageFolder of torchvision and the DataLoader of torch."""
    dataset = ImageFolder(photos, preset(TRANSFORM))
    workers = range(1, 2 * usable_cpus() + 1)
    cells = [FolderSettings(0)] + [
        FolderSettings(number, prefetch, persistent_workers=kept)
        for number, prefetch, kept in product(workers, PREFETCH, (False, True))
    ]

    def make(settings: Settings) -> Any:
        return DataLoader(dataset, BATCH, shuffle=True, **settings.arguments())

    def tune() -> Tuning:
        return tune_folder(photos, preset(TRANSFORM), batch_size=BATCH, seconds=seconds)

    return Entrant("ImageFolder and DataLoader", cells, make, tune, 1, seconds)


def pack(photos: Path, packed: Path, seconds: float) -> Entrant:
    """The ImageFolder and the DataLoader of fastload, over a pack of the same photos."""
    fastload.pack(photos, packed)
    dataset = fastload.ImageFolder(packed, preset(TRANSFORM))
    threads = range(1, usable_cpus() + 3)
    cells = [
        PackSettings(number, prefetch, cache=cache)
        for number, prefetch, cache in product(threads, PREFETCH, ("auto", 0))
    ]

    def make(settings: Settings) -> Any:
        return fastload.DataLoader(dataset, BATCH, shuffle=True, **settings.arguments())

    def tune() -> Tuning:
        return tune_pack(packed, preset(TRANSFORM), batch_size=BATCH, seconds=seconds)

    return Entrant("fastload, JPEG pack", cells, make, tune, 4, seconds)
