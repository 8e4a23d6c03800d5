"""torch's own samplers over a pack: the same samples in the same order as over the label folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DistributedSampler, Sampler, WeightedRandomSampler
from torchvision.transforms import v2

from tests.callers.conftest import COUNTS, Library

TRANSFORM = v2.Compose([v2.Resize((8, 8), antialias=True), v2.PILToTensor()])


def balanced_sampler(targets: list[int]) -> WeightedRandomSampler:
    weights = 1 / np.bincount(targets)[np.asarray(targets)]
    return WeightedRandomSampler(weights, 300, generator=torch.Generator().manual_seed(7))


def load(library: Library, sampler: Sampler[int], **arguments: Any) -> Iterable[Any]:
    dataset = library.ImageFolder(str(library.root), TRANSFORM)
    return library.DataLoader(dataset, batch_size=20, sampler=sampler, **arguments)


def serve(loader: Iterable[Any]) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = zip(*loader, strict=True)
    return torch.cat(images), torch.cat(labels)


def test_weighted_sampler_draws_what_it_draws_for_torch(reference: Library, ours: Library) -> None:
    served = []
    for library in (reference, ours):
        targets = library.ImageFolder(str(library.root)).targets
        served.append(serve(load(library, balanced_sampler(targets), num_workers=0)))
    (images, labels), (our_images, our_labels) = served
    assert our_labels.tolist() == labels.tolist()
    assert (our_images.int() - images.int()).abs().max() <= 1
    shares = np.bincount(our_labels) / 300
    assert shares == pytest.approx(np.full(len(COUNTS), 1 / 3), abs=0.1)


@pytest.mark.parametrize("epoch", [0, 3])
def test_distributed_sampler_splits_each_epoch(
    reference: Library, ours: Library, epoch: int
) -> None:
    labels: dict[int, list[list[int]]] = {}
    for library in (reference, ours):
        for rank in range(2):
            dataset = library.ImageFolder(str(library.root), TRANSFORM)
            sampler: DistributedSampler[Any] = DistributedSampler(
                dataset, num_replicas=2, rank=rank, seed=5
            )
            sampler.set_epoch(epoch)
            served = serve(load(library, sampler, num_workers=1))[1].tolist()
            labels.setdefault(rank, []).append(served)
    assert all(ours == expected for expected, ours in labels.values())
    union = sorted(label for expected, _ in labels.values() for label in expected)
    assert union == [0] * 10 + [1] * 20 + [2] * 34


def test_loader_set_epoch_reaches_the_sampler(ours: Library) -> None:
    dataset = ours.ImageFolder(str(ours.root), TRANSFORM)
    sampler: DistributedSampler[Any] = DistributedSampler(dataset, num_replicas=2, rank=0)
    loader: Any = load(ours, sampler)
    loader.set_epoch(4)
    assert sampler.epoch == 4
