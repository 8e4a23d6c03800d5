"""What is asked of the tuner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastload.tune.settings import Settings
from fastload.tune.trial import Window

__all__ = ["Question"]


@dataclass(frozen=True)
class Question:
    """The arguments of :func:`fastload.tune.tune_folder` that both kinds of datasets have.

    Attributes:
        batch_size: images a batch.
        step: what training does with a batch, or None.
        target: images/s that are enough, or None.
        seconds: of each window.
        ranks: training processes that share this machine.
        progress: called after each window.

    Raises:
        ValueError: a number is too small.
    """

    batch_size: int
    step: Callable[[Any], object] | None
    target: float | None
    seconds: float
    ranks: int
    progress: Callable[[Settings, Window], None] | None

    def __post_init__(self) -> None:
        for name in ("batch_size", "ranks"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, it takes 1 or more.")
        for name in ("seconds", "target"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} is {value}, it takes more than 0.")
