"""Tuning fastload's ``DataLoader`` over a pack."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from fastload.dataset import ImageFolder
from fastload.tune.settings import Settings
from fastload.tune.trial import Window
from fastload.tune.tuning import Tuning

__all__ = ["tune_pack"]


def tune_pack(
    source: str | os.PathLike[str] | ImageFolder,
    transform: Callable[[Any], Any] | None = None,
    *,
    batch_size: int = 128,
    step: Callable[[Any], object] | None = None,
    target: float | None = None,
    seconds: float = 2.0,
    engines: Sequence[str] = ("native",),
    decodes: Sequence[str] = ("exact",),
    ranks: int | None = None,
    progress: Callable[[Settings, Window], None] | None = None,
) -> Tuning:
    """Find the smallest setting of fastload's loader that is within 3 % of the fastest.

    Args:
        source: a pack, or an ``ImageFolder`` of one.
        transform: of the pack; an ``ImageFolder`` has its own.
        batch_size: images a batch.
        step: what training does with a batch; it then runs in all trials.
        target: images/s that are enough.
        seconds: of each window.
        engines: that are tried; other ones than "native" give pixels that differ a little.
        decodes: that are tried; "fast" gives pixels that differ a little.
        ranks: training processes that share this machine; None for what ``torchrun`` says, or 1.
        progress: called after each window.
    """
    raise NotImplementedError
