"""What takes part in a measurement on a folder: a loader that is made in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Entrant"]


@dataclass(frozen=True)
class Entrant:
    """A loader to be measured.

    Attributes:
        label: its name within the suite.
        peer: whose it is.
        title: how a reader calls it.
        form: what it reads, in words.
        path: the label folder or the pack.
        batch: images a batch.
        samples: of an epoch: so many that a window does not come to its end.
        arguments: of the ``DataLoader``.
        fills: its cache is filled first.
        replays: it hands out copies of batches in memory: what no loader can be faster than.
    """

    label: str
    peer: str
    title: str
    form: str
    path: str
    batch: int
    samples: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fills: bool = False
    replays: bool = False

    @property
    def workers(self) -> int:
        """Worker processes or threads."""
        return int(self.arguments["num_workers"])

    @property
    def ahead(self) -> int:
        """Batches that may lie ready when a window begins."""
        queues = self.workers if self.peer == "imagefolder" else 1
        return queues * int(self.arguments.get("prefetch_factor") or 2) + self.workers
