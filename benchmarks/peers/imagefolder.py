"""torchvision's ImageFolder and torch's DataLoader, with workers kept between epochs."""

from __future__ import annotations

import numpy as np
import torchvision
from torch.utils.data import WeightedRandomSampler
from torchvision.datasets import ImageFolder

from benchmarks.job import Job
from benchmarks.loading import long_epoch, passes_of
from benchmarks.recipes import torchvision_transform
from benchmarks.train_step import training
from benchmarks.worker import Window

VERSION = f"torchvision {torchvision.__version__}"


def load(job: Job) -> Window:
    """Pillow decodes and resizes."""
    dataset = ImageFolder(job.photos, torchvision_transform(job.recipe))
    return passes_of(long_epoch(dataset, job))


def train(job: Job) -> Window:
    """The same, each batch followed by a training step."""
    return training(long_epoch(ImageFolder(job.photos, torchvision_transform(job.recipe)), job))


def balanced(job: Job) -> Window:
    """One window is one epoch in which torch's sampler draws each class equally often."""
    dataset = ImageFolder(job.photos, torchvision_transform(job.recipe))
    weights = 1 / np.bincount(dataset.targets)[dataset.targets]
    sampler = WeightedRandomSampler(weights.tolist(), job.passes * len(dataset))
    return passes_of(long_epoch(dataset, job, sampler=sampler))
