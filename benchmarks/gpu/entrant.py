"""One line of the table: a loader, how it is set, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec

import torch

from benchmarks.gpu.setting import Setting

Epoch = Callable[[], Iterable[torch.Tensor]]
"""Begins an epoch: batches of images on the setting's device."""


@dataclass(frozen=True)
class Entrant:
    """A loader.

    Attributes:
        name: in the table.
        threads: of the CPU.
        open: makes the loader, which is closed at the end.
        needs: the module without which it cannot run.
        hw_decoder_load: share of images for the hardware decoder; None: as the library has it.
    """

    name: str
    threads: int
    open: Callable[[Setting], AbstractContextManager[Epoch]]
    needs: str = "torch"
    hw_decoder_load: float | None = None

    def missing(self) -> str:
        """Why it cannot run here, or nothing."""
        try:
            found = find_spec(self.needs) is not None
        except ModuleNotFoundError:  # the package around it
            found = False
        return "" if found else f"{self.needs} is not installed"
