"""What is done with the batches of a trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from fastload.delivery import on_device
from fastload.tune.running import leave_alone
from fastload.tune.search import Axis

__all__ = ["consumer", "pinning"]


def consumer(step: Callable[[Any], object] | None) -> Callable[[Any], object]:
    """What is done with each batch: the user's step, or what any step begins with."""
    if step is not None:
        return step
    if torch.cuda.is_available():
        return partial(on_device, device=torch.device("cuda"))
    return leave_alone


def pinning() -> Sequence[Axis]:
    """Page-locked batches are tried where there is a GPU to copy them to."""
    return (Axis("pin_memory", (True,)),) if torch.cuda.is_available() else ()
