"""Transforms by name, for commands that are told of none."""

from __future__ import annotations

from typing import Any

__all__ = ["LONGER_SIDE", "MEAN", "PRESETS", "SIDE", "STD", "preset"]

PRESETS = {
    "train": "RandomResizedCrop(224), flip, uint8",
    "train-float": "RandomResizedCrop(224), flip, ToTensor, Normalize (ImageNet's)",
    "eval": "Resize(256), CenterCrop(224), uint8",
}
"""What each does, in words."""

SIDE, LONGER_SIDE = 224, 256
"""Pixels a side of what they give, and of what "eval" crops that from."""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, of red, green and blue."""


def preset(name: str) -> Any:
    """A transform of :data:`PRESETS`, made anew: from a PIL image to a (3, 224, 224) tensor.

    Raises:
        ValueError: there is none of this name.

    >>> len(preset("train").transforms)
    3
    """
    from torchvision import transforms as T

    augmented = [T.RandomResizedCrop(SIDE), T.RandomHorizontalFlip()]
    if name == "train":
        return T.Compose([*augmented, T.PILToTensor()])
    if name == "train-float":
        return T.Compose([*augmented, T.ToTensor(), T.Normalize(MEAN, STD)])
    if name == "eval":
        return T.Compose([T.Resize(LONGER_SIDE), T.CenterCrop(SIDE), T.PILToTensor()])
    raise ValueError(f"There is no preset {name!r}: choose one of {', '.join(PRESETS)}.")
