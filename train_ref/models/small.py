"""Two small models: one that tests train in seconds, one for small images on a CPU."""

from __future__ import annotations

import torch
from torch import nn

from train_ref.config import Config
from train_ref.models.assembly import assemble, sized
from train_ref.models.classifier import Built, InputConfig

__all__ = ["SMALL", "build_small"]

# Defects at the border of such small images would be lost by cropping them.
SMALL = {
    "tiny": InputConfig(size=32, crop_share=1.0),
    "small_resnet": InputConfig(size=96, crop_share=1.0),
}
"""The images that each wants."""


def build_small(name: str, config: Config, classes: tuple[str, ...]) -> Built:
    """Build one of `SMALL`; weights come from a file or from scratch."""
    net = _tiny() if name == "tiny" else _small_resnet()
    return assemble(net, "head", sized(SMALL[name], config), config, classes, download=None)


def _tiny() -> nn.Sequential:
    """Three convolutions with BatchNorm, 6 thousand parameters."""
    net = nn.Sequential()
    inputs = 3
    for index, width in enumerate((8, 16, 32)):
        net.add_module(f"conv{index}", _convolution(inputs, width, stride=2))
        inputs = width
    return _with_head(net, inputs)


def _small_resnet() -> nn.Sequential:
    """A ResNet in CIFAR's style (He et al., 2016, section 4.2): three stages of two blocks.

    0.7 million parameters. A fourth of each side is gone before the first stage is through, so
    that 96 pixels cost what 32 cost there.
    """
    net = nn.Sequential()
    net.add_module("stem", _convolution(3, 32, stride=2))
    inputs = 32
    for index, width in enumerate((32, 64, 128)):
        net.add_module(
            f"stage{index}", nn.Sequential(_Block(inputs, width, 2), _Block(width, width))
        )
        inputs = width
    return _with_head(net, inputs)


def _with_head(net: nn.Sequential, width: int) -> nn.Sequential:
    net.add_module("pool", nn.AdaptiveAvgPool2d(1))
    net.add_module("flat", nn.Flatten())
    net.add_module("head", nn.Linear(width, 1))
    return net


def _convolution(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        _conv3x3(inputs, outputs, stride), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def _conv3x3(inputs: int, outputs: int, stride: int) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


class _Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = _convolution(inputs, outputs, stride)
        self.conv2 = _conv3x3(outputs, outputs, 1)
        self.norm = nn.BatchNorm2d(outputs)
        # A block begins as its shortcut alone (Goyal et al., 2017, section 5.1).
        nn.init.zeros_(self.norm.weight)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut.append(nn.Conv2d(inputs, outputs, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(outputs))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        branch = self.norm(self.conv2(self.conv1(images)))
        return torch.relu(branch + self.shortcut(images))
