"""What all models have in common: features, a head, and the images that they want."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

__all__ = ["Built", "Classifier", "InputConfig"]


@dataclass(frozen=True)
class InputConfig:
    """The images that a model wants.

    Attributes:
        size: side in pixels.
        mean: of red, green and blue, of values from 0 to 1.
        std: likewise.
        interpolation: "nearest", "bilinear" or "bicubic".
        crop_share: side of the evaluation's centre crop as a share of the resized shorter side.
        squash: whether an image is first pressed to a square, instead of losing its ends.
        equalize: whether the levels of each image are spread over all there are.
    """

    size: int = 224
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    interpolation: str = "bilinear"
    crop_share: float = 0.875
    squash: bool = False
    equalize: bool = False


class Classifier(nn.Module):
    """A body that makes features of images, and a head that makes logits of features.

    Args:
        body: (n, 3, h, w) float -> (n, width).
        head: (n, width) -> (n, classes).
        width: of the features.
        dropout: share of the features that training zeroes in front of the head.

    Example:
        >>> body = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> Classifier(body, nn.Linear(3, 2), 3)(torch.zeros(4, 3, 8, 8)).shape
        torch.Size([4, 2])
    """

    def __init__(self, body: nn.Module, head: nn.Module, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.body = body
        self.head = head
        self.width = width
        # Between body and head, so that features are whole and the head stays one linear layer.
        self.dropout = nn.Dropout(dropout)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return what the head is given: shape (n, width)."""
        features: torch.Tensor = self.body(images)
        return features

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits: shape (n, classes)."""
        logits: torch.Tensor = self.head(self.dropout(self.features(images)))
        return logits


@dataclass(frozen=True)
class Built:
    """A model and what is to be known of it.

    Attributes:
        model: on the CPU.
        input: the images that it wants.
        origin: where its weights come from, a sentence.
        frozen_body: the body does not learn, so that features can be kept from epoch to epoch.
    """

    model: Classifier
    input: InputConfig
    origin: str
    frozen_body: bool = False
