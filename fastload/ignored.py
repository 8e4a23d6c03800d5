"""Arguments of torch's loader that mean nothing where threads take the place of processes."""

from __future__ import annotations

import warnings
from typing import Any

__all__ = ["warn_ignored"]

_REASONS = {
    "worker_init_fn": "there are no worker processes to initialise",
    "multiprocessing_context": "there are no worker processes to start",
    "pin_memory_device": "batches are pinned for the current accelerator",
    "in_order": "batches always come in order",
}
_warned: set[str] = set()


def warn_ignored(
    worker_init_fn: Any, multiprocessing_context: Any, pin_memory_device: str, in_order: bool
) -> None:
    """Warn about each argument that was given and means nothing, once in a process."""
    given = {
        "worker_init_fn": worker_init_fn is not None,
        "multiprocessing_context": multiprocessing_context is not None,
        "pin_memory_device": bool(pin_memory_device),
        "in_order": not in_order,
    }
    for name, is_given in given.items():
        if is_given and name not in _warned:
            _warned.add(name)
            warnings.warn(
                f"fastload.DataLoader ignores {name}: {_REASONS[name]}.", UserWarning, stacklevel=4
            )
