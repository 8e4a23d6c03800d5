"""Tuning torch's ``DataLoader`` over a label folder, or over any dataset of torch's kind."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from torch.utils.data import Dataset

from fastload.tune.settings import Settings
from fastload.tune.trial import Window
from fastload.tune.tuning import Tuning

__all__ = ["tune_folder"]


def tune_folder(
    source: str | os.PathLike[str] | Dataset[Any],
    transform: Callable[[Any], Any] | None = None,
    *,
    batch_size: int = 128,
    step: Callable[[Any], object] | None = None,
    target: float | None = None,
    seconds: float = 3.0,
    ranks: int | None = None,
    progress: Callable[[Settings, Window], None] | None = None,
) -> Tuning:
    """Find the smallest setting of torch's loader that is within 3 % of the fastest.

    Args:
        source: a label folder, as torchvision's ``ImageFolder`` takes it, or a map-style dataset.
        transform: of the folder; a dataset has its own.
        batch_size: images a batch.
        step: what training does with a batch; it then runs in all trials.
        target: images/s that are enough.
        seconds: of each window.
        ranks: training processes that share this machine; None for what ``torchrun`` says, or 1.
        progress: called after each window.
    """
    raise NotImplementedError
