"""Accelerate's prepare over both libraries: each image once an epoch, in a new order each time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torchvision.transforms import v2

from tests.callers.conftest import COUNTS, Library

accelerate = pytest.importorskip("accelerate", reason="accelerate is not installed (extra: train)")

TRANSFORM = v2.Compose(
    [v2.RandomResizedCrop(24, antialias=True), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
)


def train(library: Library, epochs: int) -> list[list[int]]:
    torch.manual_seed(0)
    accelerator = accelerate.Accelerator(cpu=True)
    dataset = library.ImageFolder(str(library.root), TRANSFORM)
    loader: Any = library.DataLoader(dataset, batch_size=16, shuffle=True, num_workers=2)
    model: Any = nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 24, len(COUNTS)))
    optimizer: Any = torch.optim.SGD(model.parameters(), lr=0.01)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    labels: list[list[int]] = []
    for _ in range(epochs):
        labels.append([])
        for images, targets in loader:
            assert images.shape[1:] == (3, 24, 24)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images), targets)
            accelerator.backward(loss)
            optimizer.step()
            labels[-1].extend(targets.tolist())
    return labels


def test_prepared_loop(library: Library) -> None:
    epochs = train(library, epochs=3)
    assert all(sorted(labels) == [0] * 10 + [1] * 20 + [2] * 34 for labels in epochs)
    assert len({tuple(labels) for labels in epochs}) == 3, "every epoch has its own order"
