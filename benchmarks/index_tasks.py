"""What grows with the number of images in a pack's index: open, order, first batch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import fastload
from benchmarks.job import Job
from benchmarks.recipes import torchvision_transform
from benchmarks.worker import Window

# Orders of small packs are made so often that a window has as many samples as one of a large pack.
SAMPLES_OF_A_WINDOW = 10_000_000


def open_pack(job: Job) -> Window:
    """One window opens the pack ``job.passes`` times; an image stands for a pack that is open."""
    transform = torchvision_transform(job.recipe)

    def window() -> Iterator[int]:
        for _ in range(job.passes):
            fastload.ImageFolder(job.packed, transform)
            yield 1

    return window


def shuffled_loader(job: Job) -> fastload.DataLoader:
    """A loader of the whole pack in random order."""
    dataset = fastload.ImageFolder(job.packed, torchvision_transform(job.recipe))
    return fastload.DataLoader(
        dataset, job.batch, shuffle=True, seed=0, num_workers=job.threads, cache=0
    )


def shuffled(job: Job) -> Window:
    """One window is an epoch of every image once."""
    loader = shuffled_loader(job)

    def window() -> Iterator[int]:
        for images, _labels in loader:
            yield len(images)

    return window


def shuffled_order(job: Job) -> Window:
    """One window orders epochs of the pack, without loading anything."""
    sampler = shuffled_loader(job).sampler
    assert isinstance(sampler, fastload.sample.OrderSampler)
    epochs = count()

    def window() -> Iterator[int]:
        for _ in range(max(1, SAMPLES_OF_A_WINDOW // job.rows)):
            yield len(sampler.order(next(epochs)))

    return window
