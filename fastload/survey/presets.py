"""The pipelines of ``fastload.presets``, made without importing torchvision.

Which takes as long to import as a thousand thumbnails take to make. tests/survey holds them against
what lowering the presets themselves gives.
"""

from __future__ import annotations

import torch

from fastload.augment import Container, Output, Pipeline
from fastload.augment.crop import CenterCrop
from fastload.augment.flip import HorizontalFlip
from fastload.augment.output import level_ramp
from fastload.augment.resize import FILTERS, Resize
from fastload.augment.resized_crop import RandomResizedCrop
from fastload.presets import LONGER_SIDE, MEAN, SIDE, STD

__all__ = ["preset_pipeline"]

_SIZE = (SIDE, SIDE)
# torchvision's own defaults.
_SCALE, _RATIO, _FLIPPED = (0.08, 1.0), (3 / 4, 4 / 3), 0.5


def preset_pipeline(name: str) -> Pipeline:
    """What lowering a preset gives, but for its notes.

    Args:
        name: one of ``fastload.presets.PRESETS``.

    >>> [type(op).__name__ for op in preset_pipeline("eval").ops]
    ['Resize', 'CenterCrop']
    """
    bilinear = FILTERS["bilinear"]
    levels = level_ramp(3)[:, 0].contiguous()
    if name == "eval":
        ops = (Resize((LONGER_SIDE,), None, bilinear), CenterCrop(_SIZE))
        return Pipeline(ops, Output(Container.TENSOR, 3, levels, ()), (), ())
    drawn = (RandomResizedCrop(_SIZE, _SCALE, _RATIO, bilinear), HorizontalFlip(_FLIPPED))
    values = _normalised(levels) if name == "train-float" else levels
    return Pipeline(drawn, Output(Container.TENSOR, 3, values, ()), (), ())


def _normalised(levels: torch.Tensor) -> torch.Tensor:
    """The values of ToTensor and Normalize for each level of each channel."""
    mean, std = (torch.tensor(values)[:, None] for values in (MEAN, STD))
    return levels.to(torch.float32).div(255).sub(mean).div(std)
