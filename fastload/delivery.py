"""From what has landed to what the user gets: collated, pinned, on its device."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import default_collate

from fastload.errors import EngineError

__all__ = [
    "checked_device",
    "checked_memory_format",
    "collated_by_default",
    "in_memory_format",
    "on_device",
]


def collated_by_default(samples: list[tuple[Any, Any]]) -> Any:
    """A batch by torch's own ``default_collate``, whose errors are told what to do.

    Raises:
        TypeError: what the transform gives cannot be put into a tensor.
        RuntimeError: the samples are of several sizes.
    """
    try:
        return default_collate(samples)
    except TypeError as error:
        raise TypeError(
            f"{error}. That is what the dataset's transform returns: let it end in ToTensor or "
            "PILToTensor, or give the loader a collate_fn."
        ) from error
    except RuntimeError as error:
        if "equal size" not in str(error):
            raise
        raise RuntimeError(
            f"{error}. Let the dataset's transform bring all images to one size "
            "(RandomResizedCrop, or Resize and CenterCrop), or give the loader a collate_fn."
        ) from error


def checked_device(device: str | torch.device | None) -> torch.device | None:
    """The device that batches go to; None leaves them in main memory.

    Raises:
        EngineError: it is not there.
    """
    if device is None:
        return None
    wanted = torch.device(device)
    if wanted.type == "cuda" and not torch.cuda.is_available():
        raise EngineError(
            f"device={str(device)!r}, but torch sees no CUDA GPU here: leave device out, or "
            "install torch with CUDA and the GPU's driver."
        )
    return wanted


def checked_memory_format(memory_format: object) -> torch.memory_format:
    """One of the two orders in memory that a batch of images can have.

    Raises:
        ValueError: it is another one.
    """
    if memory_format not in (torch.contiguous_format, torch.channels_last):
        raise ValueError(
            f"memory_format is {memory_format!r}: choose torch.contiguous_format or "
            "torch.channels_last."
        )
    assert isinstance(memory_format, torch.memory_format)
    return memory_format


def in_memory_format(batch: Any, memory_format: torch.memory_format) -> Any:
    """A batch as torch collates it, its images in an order in memory."""
    if not isinstance(batch, list):
        return batch
    return [
        item.contiguous(memory_format=memory_format)
        if isinstance(item, torch.Tensor) and item.ndim == 4
        else item
        for item in batch
    ]


def on_device(batch: Any, device: torch.device) -> Any:
    """A batch with all its tensors, in whatever lists and dictionaries, copied to a device."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(on_device(item, device) for item in batch))
    if isinstance(batch, (list, tuple)):
        return type(batch)(on_device(item, device) for item in batch)
    if isinstance(batch, dict):
        return {key: on_device(item, device) for key, item in batch.items()}
    return batch
