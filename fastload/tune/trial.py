"""What was measured of one setting: windows of time in which its loader ran."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from fastload.tune.settings import Settings

__all__ = ["Trial", "Window"]


@dataclass(frozen=True)
class Window:
    """One run of a loader that was made for it.

    Attributes:
        images: delivered while the clock ran, behind the warm-up.
        seconds: that they took.
        first_batch: seconds from before the loader was made to its first batch.
        cpu_seconds: of this process and its workers, while the clock ran.
        memory: bytes in use at the end that were not before the loader was made, of this process
            and its workers; what the cache keeps is among them.
    """

    images: int
    seconds: float
    first_batch: float = 0.0
    cpu_seconds: float = 0.0
    memory: int = 0

    @property
    def images_per_second(self) -> float:
        """Images delivered a second."""
        return self.images / self.seconds


@dataclass(frozen=True)
class Trial:
    """A setting and its windows.

    Attributes:
        settings: what was tried.
        windows: in the order in which they were measured; empty where it failed at once.
        failure: why its loader died, "" where it lived.

    >>> trial = Trial(Settings(2), (Window(100, 1.0), Window(360, 2.0, cpu_seconds=3.0)))
    >>> trial.images_per_second, trial.spread, trial.cpu_percent
    (140.0, (100.0, 180.0), 100.0)
    """

    settings: Settings
    windows: tuple[Window, ...]
    failure: str = ""

    @property
    def rates(self) -> tuple[float, ...]:
        """Images a second of each window."""
        return tuple(window.images_per_second for window in self.windows)

    @property
    def images_per_second(self) -> float:
        """The median of the windows; 0 where the loader died."""
        return 0.0 if self.failure else median(self.rates)

    @property
    def spread(self) -> tuple[float, float]:
        """The slowest window and the fastest."""
        return min(self.rates), max(self.rates)

    @property
    def first_batch(self) -> float:
        """Seconds to the first batch: the median."""
        return median(window.first_batch for window in self.windows)

    @property
    def cpu_percent(self) -> float:
        """100 for each CPU that was kept busy."""
        seconds = sum(window.seconds for window in self.windows)
        return 100 * sum(window.cpu_seconds for window in self.windows) / seconds

    @property
    def memory(self) -> int:
        """Bytes: the highest."""
        return max(window.memory for window in self.windows)

    def as_dict(self) -> dict[str, Any]:
        """The same, as JSON takes it."""
        content = {
            "settings": asdict(self.settings),
            "arguments": self.settings.arguments(),
            "failure": self.failure,
            "windows": [asdict(window) for window in self.windows],
        }
        if self.failure:
            return content
        return {
            **content,
            "images_per_second": self.images_per_second,
            "images_per_second_rounds": list(self.rates),
            "first_batch_seconds": self.first_batch,
            "cpu_percent": self.cpu_percent,
            "memory_bytes": self.memory,
        }
