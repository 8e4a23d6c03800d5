"""What becomes of an image before the model sees it.

Everything up to 8-bit tensors is a torchvision transform that fastload's engine runs by itself;
:meth:`fastload.DataLoader.explain` shows that nothing is left to Python. Whole batches are then
normalised where the model is, for four times fewer bytes on the way there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torchvision.transforms import InterpolationMode, v2

from train_ref.config import Config
from train_ref.models.classifier import InputConfig

__all__ = ["Exceptions", "evaluation", "normaliser", "training"]

_FILTERS = {
    "nearest": InterpolationMode.NEAREST,
    "bilinear": InterpolationMode.BILINEAR,
    "bicubic": InterpolationMode.BICUBIC,
}
_DRAWN: dict[str, Callable[[list[float]], Any]] = {
    "randaugment": lambda fill: v2.RandAugment(fill=fill),
    "trivialaugment": lambda fill: v2.TrivialAugmentWide(fill=fill),
    "autoaugment": lambda fill: v2.AutoAugment(fill=fill),
}
# 224 / 0.875 is 256, and is to stay so where the share was itself a quotient.
_FUZZ = 1e-6


@dataclass(frozen=True, order=True)
class Exceptions:
    """What is not done to the images of a class, since it would make them another class's.

    Attributes:
        hflip: not mirrored left to right.
        vflip: not mirrored top to bottom.
        rotate: not rotated: neither by `rotate` nor by `augment`, whose operations rotate too.
    """

    hflip: bool = False
    vflip: bool = False
    rotate: bool = False


def training(config: Config, wanted: InputConfig, without: Exceptions | None = None) -> v2.Compose:
    """Return the transform of training images: PIL -> uint8 (3, size, size).

    Args:
        config: which augmentations.
        wanted: size, interpolation, and the mean that empty corners and erased boxes are filled by.
        without: what is left out.

    Example:
        >>> training(Config(hflip=False), InputConfig(size=32)).transforms
        [RandomResizedCrop(size=(32, 32), scale=(0.35, 1.0), ratio=(0.75, 1.3333333333333333), \
interpolation=InterpolationMode.BILINEAR, antialias=True), PILToTensor()]
    """
    without = without or Exceptions()
    interpolation, fill = _FILTERS[wanted.interpolation], [float(255 * m) for m in wanted.mean]
    steps: list[Any] = [
        v2.RandomResizedCrop(
            wanted.size, (config.crop_scale, 1.0), interpolation=interpolation, antialias=True
        )
    ]
    if wanted.squash:
        # A square of which the smallest crop is as large as the output.
        side = math.ceil(wanted.size / math.sqrt(config.crop_scale))
        steps.insert(0, v2.Resize([side, side], interpolation=interpolation, antialias=True))
    if wanted.equalize:
        steps.append(v2.RandomEqualize(1.0))
    if config.hflip and not without.hflip:
        steps.append(v2.RandomHorizontalFlip())
    if config.vflip and not without.vflip:
        steps.append(v2.RandomVerticalFlip())
    if config.rotate and not without.rotate:
        bilinear = InterpolationMode.BILINEAR
        steps.append(v2.RandomRotation(config.rotate, interpolation=bilinear, fill=fill))
    if config.augment != "none" and not without.rotate:
        steps.append(_DRAWN[config.augment](fill))
    if config.jitter:
        steps.append(v2.ColorJitter(config.jitter, config.jitter, config.jitter))
    steps.append(v2.PILToTensor())
    if config.erasing:
        steps.append(v2.RandomErasing(config.erasing, value=fill))
    return v2.Compose(steps)


def evaluation(wanted: InputConfig, size: int | None = None) -> v2.Compose:
    """Return the transform of all other images: PIL -> uint8 (3, size, size), the centre.

    Args:
        wanted: size, interpolation and share of the shorter side that the crop has.
        size: in place of the model's own.

    Example:
        >>> evaluation(InputConfig(size=224, crop_share=0.875)).transforms[0].size
        [256]
    """
    size = wanted.size if size is None else size
    side = max(size, math.floor(size / wanted.crop_share + _FUZZ))
    sides = [side, side] if wanted.squash else [side]
    resize = v2.Resize(sides, interpolation=_FILTERS[wanted.interpolation], antialias=True)
    equalize = [v2.RandomEqualize(1.0)] if wanted.equalize else []
    return v2.Compose([resize, v2.CenterCrop(size), *equalize, v2.PILToTensor()])


def normaliser(wanted: InputConfig, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return what makes a model's input of a batch.

    Args:
        wanted: mean and std.
        device: where the batches are.

    Returns:
        uint8 (n, 3, h, w) -> float32 (n, 3, h, w) in the same memory format.

    Example:
        >>> wanted = InputConfig(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
        >>> normalise = normaliser(wanted, torch.device("cpu"))
        >>> normalise(torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)).flatten().tolist()
        [1.0, 1.0, 1.0]
    """
    mean, std = (
        torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (wanted.mean, wanted.std)
    )
    scale, shift = 1 / (255 * std), -mean / std

    def normalise(images: torch.Tensor) -> torch.Tensor:
        return images.to(torch.float32).mul_(scale).add_(shift)

    return normalise
