"""What a loader can be set to: the arguments that change its speed and not its batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["FolderSettings", "PackSettings", "Settings"]


@dataclass(frozen=True)
class Settings:
    """What both kinds of loaders have.

    Attributes:
        num_workers: processes, or threads where the dataset is a pack.
        prefetch_factor: batches ahead, of each worker or, where the dataset is a pack, in all.
        pin_memory: whether batches are page-locked.
    """

    num_workers: int
    prefetch_factor: int = 2
    pin_memory: bool = False

    def arguments(self) -> dict[str, Any]:
        """What to give the loader, by name; what is its default anyway is left out."""
        raise NotImplementedError

    @property
    def size(self) -> tuple[int, ...]:
        """What it costs: of two that are as fast, the one with the smaller size is better."""
        raise NotImplementedError

    @property
    def queue(self) -> int:
        """How many batches may be made before the first is asked for."""
        raise NotImplementedError

    def words(self) -> str:
        """The setting as a table's row is headed."""
        return ", ".join(f"{name} {value}" for name, value in self.arguments().items())


@dataclass(frozen=True)
class FolderSettings(Settings):
    """torch's ``DataLoader`` over files.

    Attributes:
        persistent_workers: whether worker processes live on from epoch to epoch.

    >>> FolderSettings(0).arguments()
    {'num_workers': 0}
    >>> FolderSettings(3, persistent_workers=True).words()
    'num_workers 3, prefetch_factor 2, persistent_workers True'
    """

    persistent_workers: bool = False

    def arguments(self) -> dict[str, Any]:
        """As torch takes them: without workers, it refuses what concerns them."""
        given: dict[str, Any] = {"num_workers": self.num_workers}
        if self.num_workers:
            given["prefetch_factor"] = self.prefetch_factor
        if self.num_workers and self.persistent_workers:
            given["persistent_workers"] = True
        if self.pin_memory:
            given["pin_memory"] = True
        return given

    @property
    def size(self) -> tuple[int, ...]:
        """Processes first, then the batches that they hold."""
        return self.num_workers, self.prefetch_factor, self.persistent_workers, self.pin_memory

    @property
    def queue(self) -> int:
        """Each worker makes its own ones."""
        return self.num_workers * self.prefetch_factor


@dataclass(frozen=True)
class PackSettings(Settings):
    """fastload's ``DataLoader`` over a pack.

    Attributes:
        cache: "auto", or 0 for none.
        engine: "auto", or the name of one that the user wants to be tried.
        decode: "exact" or "fast".

    >>> PackSettings(2, cache=0).words()
    'num_workers 2, prefetch_factor 2, cache 0'
    """

    cache: str | int = "auto"
    engine: str = "auto"
    decode: str = "exact"

    def arguments(self) -> dict[str, Any]:
        """As fastload's loader takes them."""
        given: dict[str, Any] = {
            "num_workers": self.num_workers,
            "prefetch_factor": self.prefetch_factor,
        }
        if self.cache != "auto":
            given["cache"] = self.cache
        if self.pin_memory:
            given["pin_memory"] = True
        if self.engine != "auto":
            given["engine"] = self.engine
        if self.decode != "exact":
            given["decode"] = self.decode
        return given

    @property
    def size(self) -> tuple[int, ...]:
        """Other pixels first, for they are the dearest; then threads, memory, batches."""
        other = (self.engine != "auto", self.decode != "exact")
        rest = (self.num_workers, self.cache != 0, self.prefetch_factor, self.pin_memory)
        return (*other, *rest)

    @property
    def queue(self) -> int:
        """All threads work at the same batches."""
        return self.prefetch_factor
