"""From what has landed to what the user gets: collated, mixed, pinned, on its device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import default_collate

from fastload.augment import BatchMix, Draws
from fastload.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastload.view import View

__all__ = [
    "checked_device",
    "checked_memory_format",
    "checked_mix",
    "collated_by_default",
    "in_memory_format",
    "mixed_batch",
    "on_device",
    "with_tensors",
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
    return with_tensors(batch, lambda tensor: tensor.to(device, non_blocking=True))


def with_tensors(batch: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """A batch with all its tensors, in whatever lists and dictionaries, replaced by others.

    >>> with_tensors([torch.tensor(1), {"label": torch.tensor(2)}, "a"], lambda one: -one)
    [tensor(-1), {'label': tensor(-2)}, 'a']
    """
    if isinstance(batch, torch.Tensor):
        return change(batch)
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(with_tensors(item, change) for item in batch))
    if isinstance(batch, (list, tuple)):
        return type(batch)(with_tensors(item, change) for item in batch)
    if isinstance(batch, dict):
        return {key: with_tensors(item, change) for key, item in batch.items()}
    return batch


def checked_mix(mix: Any, view: View | None, *, batched: bool) -> BatchMix | None:
    """What mixes a loader's batches; None where nothing does.

    Args:
        mix: what the user has given.
        view: the loader's samples, where they are of packs.
        batched: whether the loader makes batches.

    Raises:
        TypeError: it is nothing that mixes batches.
        ValueError: there are no batches or no positions of samples, or more classes than it knows.
    """
    if mix is None:
        return None
    if not isinstance(mix, BatchMix):
        raise TypeError(
            f"mix is {mix!r}: give a MixUp, CutMix or RandomMix of fastload.augment. Others, "
            "torchvision's say, can be called on each batch."
        )
    if view is None:
        raise ValueError(
            "mix= needs a dataset made of packs: of this one, call the mix on each batch, "
            "mix(images, labels, step=...)."
        )
    if not batched:
        raise ValueError("mix= needs batches: give the loader a batch_size.")
    for part in view.parts:
        if part.target_transform is None and len(part.classes) > mix.num_classes:
            raise ValueError(
                f"mix is of {mix.num_classes} classes, the dataset has {len(part.classes)}: give "
                "the mix num_classes=len(dataset.classes)."
            )
    return mix


def mixed_batch(batch: Any, mix: BatchMix, draws: Draws) -> Any:
    """A batch of images and targets, mixed.

    Args:
        batch: (images, targets).
        mix: how.
        draws: the random words of the samples' positions; those of the first one decide.

    Raises:
        TypeError: it is another kind of batch.
    """
    if not (isinstance(batch, (list, tuple)) and len(batch) == 2):
        raise TypeError(
            f"mix= is for batches of images and targets, and this is a {type(batch).__name__}: let "
            "collate_fn return the two, or call the mix in the training loop."
        )
    images, targets = batch
    return list(mix.at(images, targets, Draws(draws.seed, draws.epoch, draws.positions[:1])))
