"""torchvision's ImageFolder and torch's DataLoader, with workers kept between epochs."""

from __future__ import annotations

from collections.abc import Iterator

import torchvision
from torch.utils.data import DataLoader, RandomSampler
from torchvision.datasets import ImageFolder

from benchmarks.job import Job
from benchmarks.recipes import torchvision_transform
from benchmarks.worker import Window

VERSION = f"torchvision {torchvision.__version__}"


def load(job: Job) -> Window:
    """One window is one long epoch of ``job.passes`` permutations: its ends weigh little."""
    dataset = ImageFolder(job.photos, torchvision_transform(job.recipe))
    loader = DataLoader(
        dataset,
        job.batch,
        sampler=RandomSampler(dataset, num_samples=job.passes * len(dataset)),
        num_workers=job.threads,
        persistent_workers=job.threads > 0,
        drop_last=True,
    )

    def epoch() -> Iterator[int]:
        for images, _labels in loader:
            yield len(images)

    return epoch
