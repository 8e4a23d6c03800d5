"""From 8-bit levels to the tensor the trainer gets: one table look-up a value.

ToTensor, ToDtype, ConvertImageDtype and Normalize treat each value alone, so what they do to an
8-bit image is known from what they do to the 256 levels of each channel. The table is made by
running torchvision's own transforms on those levels: its entries are theirs to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import torch

__all__ = ["DTYPES", "Container", "Output", "level_ramp"]

DTYPES = (torch.uint8, torch.float16, torch.bfloat16, torch.float32)
"""The dtypes that an engine writes; a transform that ends in another one runs per sample."""


class Container(Enum):
    """What a sample is: a PIL image, a plain tensor, or torchvision's tensor for images."""

    PIL = "PIL image"
    TENSOR = "tensor"
    IMAGE = "tv_tensors.Image"


def level_ramp(channels: int) -> torch.Tensor:
    """Every level of every channel as a small image: uint8, shape (channels, 1, 256)."""
    return torch.arange(256, dtype=torch.uint8).repeat(channels, 1, 1)


@dataclass(frozen=True)
class Output:
    """What the engine hands over for each image.

    Attributes:
        container: kind of the samples.
        channels: 3, or 1 after ``Grayscale(1)``.
        table: shape (channels, 256), of the output's dtype: entry [c, v] is the value of level v.
        conversions: the torchvision transforms that made the table, in order.
    """

    container: Container
    channels: int
    table: torch.Tensor
    conversions: tuple[Callable[[Any], Any], ...]

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the values."""
        return self.table.dtype

    @property
    def is_levels(self) -> bool:
        """Whether the values are the 8-bit levels themselves."""
        return self.dtype == torch.uint8 and torch.equal(
            self.table, level_ramp(self.channels)[:, 0]
        )
