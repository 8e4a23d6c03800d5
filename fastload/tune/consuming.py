"""What is done with the batches of a trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from fastload.tune.running import leave_alone
from fastload.tune.search import Axis
from fastload.tune.settings import Settings

__all__ = ["consumer", "pinning"]


def consumer(step: Callable[[Any], object] | None, settings: Settings) -> Callable[[Any], object]:
    """What is done with each batch: the user's step, or what any step begins with."""
    if step is not None:
        return step
    if torch.cuda.is_available():
        return lambda batch: _copied(batch, settings.pin_memory)
    return leave_alone


def _copied(batch: Any, pinned: bool) -> Any:
    """The batch on the GPU."""
    if isinstance(batch, Mapping):
        return {name: _copied(part, pinned) for name, part in batch.items()}
    if isinstance(batch, (list, tuple)):
        return [_copied(part, pinned) for part in batch]
    return batch.to("cuda", non_blocking=pinned) if isinstance(batch, torch.Tensor) else batch


def pinning() -> Sequence[Axis]:
    """Page-locked batches are tried where there is a GPU to copy them to."""
    return (Axis("pin_memory", (True,)),) if torch.cuda.is_available() else ()
