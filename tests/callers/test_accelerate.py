"""Accelerate's prepare over both libraries: each image once an epoch, in a new order each time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.transforms import v2

from tests.callers.conftest import COUNTS, Library

accelerate = pytest.importorskip(
    "accelerate", reason="accelerate is not installed (extra: callers)"
)

TRANSFORM = v2.Compose(
    [v2.RandomResizedCrop(24, antialias=True), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
)


def train(library: Library, epochs: int, **order: Any) -> list[list[int]]:
    torch.manual_seed(0)
    accelerator = accelerate.Accelerator(cpu=True)
    dataset = library.ImageFolder(str(library.root), TRANSFORM)
    loader: Any = library.DataLoader(dataset, num_workers=2, **order)
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
    epochs = train(library, epochs=3, batch_size=16, shuffle=True)
    assert all(sorted(labels) == [0] * 10 + [1] * 20 + [2] * 34 for labels in epochs)
    assert len({tuple(labels) for labels in epochs}) == 3, "every epoch has its own order"


def test_prepared_loop_over_batches_of_classes(ours: Library) -> None:
    epochs = train(ours, epochs=3, balance="class", per_batch=(2, 4), epoch_length=48)
    assert len({tuple(labels) for labels in epochs}) == 3, "every epoch has its own order"
    for labels in epochs:
        batches = np.array(labels).reshape(-1, 2, 4)
        assert (batches == batches[..., :1]).all()
        assert [labels.count(label) for label in range(3)] == [16, 16, 16]
