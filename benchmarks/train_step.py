"""A training step on the CPU, for loaders whose batches are used and not only counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.worker import Window

CLASSES = 1000
MEAN, SCALE = 127.5, 64.0


def small_network() -> nn.Sequential:
    """Three convolutions for 224 pixels: a step of some ten milliseconds for a batch of 128."""
    layers: list[nn.Module] = []
    for inputs, outputs, side, stride in ((3, 16, 7, 4), (16, 32, 3, 2), (32, 64, 3, 2)):
        convolution = nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False)
        layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES))


def training_step() -> Callable[[Tensor, Tensor], float]:
    """A step of a network of its own on uint8 images and int64 labels; returns the loss."""
    torch.manual_seed(0)
    network = small_network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def step(images: Tensor, labels: Tensor) -> float:
        pixels = images.float().sub_(MEAN).div_(SCALE)
        loss = F.cross_entropy(network(pixels), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def training(batches: Iterable[tuple[Tensor, Tensor]]) -> Window:
    """One window trains on all batches of a pass."""
    step = training_step()

    def window() -> Iterator[int]:
        for images, labels in batches:
            step(images, labels)
            yield len(images)

    return window
