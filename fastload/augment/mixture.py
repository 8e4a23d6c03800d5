"""Images and targets of a batch, mixed with those of other rows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch

__all__ = ["Mixture", "PairedTargets", "mixed_images", "paired_targets", "soft_targets"]


@dataclass(frozen=True)
class Mixture:
    """How one batch is mixed.

    Attributes:
        share: how much of each image is its own, from 0 to 1.
        shift: row i is mixed with row i - ``shift``, counted around the end.
        box: (top, left, bottom, right) of what is the partner's; None where all pixels are mixed.
    """

    share: float
    shift: int
    box: tuple[int, int, int, int] | None = None


class PairedTargets(NamedTuple):
    """Targets of mixed images, for losses that want them one at a time.

    The loss is ``share * loss(output, first) + (1 - share) * loss(output, second)``.

    Attributes:
        first: targets of the batch, as they were.
        second: those of each image's partner.
        share: how much of each image is its own, from 0 to 1.
    """

    first: torch.Tensor
    second: torch.Tensor
    share: float


def mixed_images(images: torch.Tensor, mixture: Mixture) -> torch.Tensor:
    """Mix images; where nothing is mixed, they are the given ones.

    Args:
        images: uint8 or floating, shape (n, channels, height, width).
        mixture: how.

    Returns:
        a tensor of the same dtype, shape, memory format and device. Values of uint8 are rounded to
        the nearest one, halves to the even one.

    >>> images = torch.tensor([0, 100, 200], dtype=torch.uint8).view(3, 1, 1, 1)
    >>> mixed_images(images, Mixture(share=0.75, shift=1)).flatten().tolist()
    [50, 75, 175]
    """
    if mixture.share == 1:
        return images
    if mixture.box is not None:
        return _pasted(images, mixture.shift, mixture.box)
    result = torch.empty_like(images)
    blend = torch.lerp if images.is_floating_point() else _blend_levels
    for rows, partners in _pairs(len(images), mixture.shift):
        blend(images[partners], images[rows], mixture.share, out=result[rows])
    return result


def soft_targets(targets: torch.Tensor, mixture: Mixture, num_classes: int) -> torch.Tensor:
    """Mix targets to a share for each class.

    Args:
        targets: classes, integers of shape (n,); or floating, shape (n, ``num_classes``).
        mixture: how the images are mixed.
        num_classes: how many classes there are.

    Returns:
        shape (n, ``num_classes``), float32 or of the given floating dtype.

    >>> soft_targets(torch.tensor([0, 2]), Mixture(share=0.75, shift=1), 3).tolist()
    [[0.75, 0.0, 0.25], [0.25, 0.0, 0.75]]
    """
    soft = targets
    if targets.ndim == 1:
        # As one_hot, which waits for the GPU to see whether all are within the classes.
        soft = torch.zeros(len(targets), num_classes, device=targets.device)
        soft.scatter_(1, targets.long()[:, None], 1.0)
    return torch.lerp(soft.roll(mixture.shift, 0), soft, mixture.share)


def paired_targets(targets: torch.Tensor, mixture: Mixture) -> PairedTargets:
    """Targets and those of the partners, side by side.

    >>> paired_targets(torch.tensor([0, 2]), Mixture(share=0.75, shift=1))
    PairedTargets(first=tensor([0, 2]), second=tensor([2, 0]), share=0.75)
    """
    return PairedTargets(targets, targets.roll(mixture.shift, 0), mixture.share)


def _pairs(rows: int, shift: int) -> list[tuple[slice, slice]]:
    """Rows and their partners, as slices that fit."""
    return [
        (slice(shift, rows), slice(0, rows - shift)),
        (slice(0, shift), slice(rows - shift, rows)),
    ]


def _pasted(images: torch.Tensor, shift: int, box: tuple[int, int, int, int]) -> torch.Tensor:
    top, left, bottom, right = box
    result = images.clone()
    for rows, partners in _pairs(len(images), shift):
        result[rows, :, top:bottom, left:right] = images[partners, :, top:bottom, left:right]
    return result


def _blend_levels(
    start: torch.Tensor, end: torch.Tensor, weight: float, *, out: torch.Tensor
) -> None:
    """``torch.lerp`` of 8-bit images."""
    # One at a time, their floats stay in the CPU's cache: that is five times as fast.
    at_once = 1 if out.device.type == "cpu" else max(len(out), 1)
    parts = zip(*(torch.split(images, at_once) for images in (start, end, out)), strict=True)
    for from_levels, to_levels, result in parts:
        result.copy_(torch.lerp(from_levels.float(), to_levels.float(), weight).round_())
