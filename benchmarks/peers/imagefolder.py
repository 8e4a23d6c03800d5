"""torchvision's ImageFolder and torch's DataLoader, with workers kept between epochs."""

from __future__ import annotations

import torchvision
from torchvision.datasets import ImageFolder

from benchmarks.job import Job
from benchmarks.loading import long_epoch, passes_of
from benchmarks.recipes import torchvision_transform
from benchmarks.worker import Window

VERSION = f"torchvision {torchvision.__version__}"


def load(job: Job) -> Window:
    """Pillow decodes and resizes."""
    dataset = ImageFolder(job.photos, torchvision_transform(job.recipe))
    return passes_of(long_epoch(dataset, job))
