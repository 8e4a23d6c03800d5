"""fastload's native engine: the loader of ``imagefolder.py``, two names changed; packer; resize.

And what only fastload promises: many processes on one pack, epochs broken off, saved states.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from itertools import count, islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Subset

import fastload
from benchmarks.crops import read_crops
from benchmarks.hashes import hashes_with_families
from benchmarks.index_tasks import open_pack as open_pack
from benchmarks.index_tasks import shuffled as shuffled
from benchmarks.index_tasks import shuffled_order as shuffled_order
from benchmarks.job import SIDE, Job
from benchmarks.loading import long_epoch, passes_of
from benchmarks.ranks import ranks as ranks
from benchmarks.recipes import torchvision_transform
from benchmarks.train_step import training
from benchmarks.whole_decode import decoding_each
from benchmarks.worker import Window
from fastload.duplicates import DISTANCE
from fastload.duplicates.near import CORRELATION
from fastload.native import library
from fastload.sample import BalancedSampler, ClassLists
from fastload.store import open_pack as open_pack_files
from fastload.store.codec import Codec

VERSION = f"fastload {fastload.__version__}"
BILINEAR = 2
# A process forked from this one shares what it has imported, so that only the loaders are seen.
FORK = multiprocessing.get_context("fork")
# Samples of the epoch whose state is saved.
SAVED_EPOCH = 10_000_000
HASHES_OF_A_PASS = 100_000
IMAGES_OF_A_PASS = 10_000
CLASSES = 1000


def loader_of(job: Job, cache: str | int, **arguments: Any) -> fastload.DataLoader:
    """A loader whose pass is one long epoch over ``job.passes`` permutations, as ImageFolder's."""
    dataset = fastload.ImageFolder(job.packed, torchvision_transform(job.recipe))
    loader: fastload.DataLoader = long_epoch(
        dataset, job, loader=fastload.DataLoader, cache=cache, **arguments
    )
    return loader


def load(job: Job) -> Window:
    """Every image is decoded anew."""
    return passes_of(loader_of(job, cache=0))


def train(job: Job) -> Window:
    """The same, each batch followed by a training step."""
    return training(loader_of(job, cache=0))


def decode(job: Job) -> Window:
    """The library's C door, on the records of the pack."""
    pack = open_pack_files(job.packed)
    records = [bytes(pack.payload(record)) for record in range(len(pack))]
    return decoding_each(records, job, lambda jpeg: library.decode(jpeg, int(Codec.JPEG)))


def balanced_passes(job: Job, cache: str | int) -> Window:
    """One window is one epoch with equal classes, as long as ``job.passes`` over all photos."""
    dataset = fastload.ImageFolder(job.packed, torchvision_transform(job.recipe))
    return passes_of(
        fastload.DataLoader(
            dataset,
            job.batch,
            balance="class",
            epoch_length=job.passes * len(dataset),
            num_workers=job.threads,
            drop_last=True,
            cache=cache,
        )
    )


def balanced(job: Job) -> Window:
    """Every image is decoded anew."""
    return balanced_passes(job, cache=0)


def pack(job: Job) -> Window:
    """One window packs the whole folder, losslessly."""
    return packing(job, codec="jpeg")


def packing(job: Job, codec: str) -> Window:
    """One window packs the whole folder with a codec."""
    files = sum(1 for file in Path(job.photos).rglob("*") if file.is_file())

    def window() -> Iterator[int]:
        fastload.pack(job.photos, job.packed, workers=job.threads, codec=codec)
        yield files

    return window


def resize(job: Job) -> Window:
    """One window resizes every crop ``job.passes`` times through the library's C door."""
    crops = read_crops(job.crops)

    def window() -> Iterator[int]:
        for _ in range(job.passes):
            for crop in crops:
                library.resize(crop, SIDE, SIDE, BILINEAR)
            yield len(crops)

    return window


def many(job: Job) -> Window:
    """One window: ``job.threads`` ranks begin an epoch of one pack of many rows."""

    def window() -> Iterator[int]:
        pipes = [FORK.Pipe() for _ in range(job.threads)]
        arguments = [(job, rank, theirs) for rank, (_, theirs) in enumerate(pipes)]
        processes = [FORK.Process(target=begin_epoch, args=one) for one in arguments]
        for process in processes:
            process.start()
        # None of them ends before all have their first batch.
        images = sum(ours.recv() for ours, _ in pipes)
        for ours, _ in pipes:
            ours.send(None)
        for process in processes:
            process.join()
        yield images

    return window


def begin_epoch(job: Job, rank: int, caller: Connection) -> None:
    """Take the first batch of an epoch, say how large it is, and wait until told to end."""
    dataset = fastload.ImageFolder(job.packed, torchvision_transform(job.recipe))
    # Small batches: what they take is not what is looked at.
    loader = fastload.DataLoader(
        dataset, 8, shuffle=True, num_workers=1, seed=0, rank=rank, world_size=job.threads
    )
    running = iter(loader)
    caller.send(len(next(running)[0]))
    caller.recv()


def break_off(job: Job) -> Window:
    """One window breaks ``job.passes`` epochs off midway; threads must not grow in number."""
    dataset = fastload.ImageFolder(job.packed, torchvision_transform(job.recipe))
    loader = fastload.DataLoader(dataset, job.batch, shuffle=True, num_workers=job.threads, cache=0)
    threads: set[int] = set()

    def window() -> Iterator[int]:
        for _ in range(job.passes):
            for images, _labels in islice(loader, (len(loader) + 1) // 2):
                yield len(images)
        threads.add(sum(1 for _ in Path("/proc/self/task").iterdir()))
        if len(threads) > 1:
            raise RuntimeError(f"threads of the process, window by window: {threads}")

    return window


def save(job: Job) -> Window:
    """One window saves a state ``job.passes`` times in the midst of an epoch."""
    dataset = fastload.ImageFolder(job.packed, torchvision_transform(job.recipe))
    long = Subset(dataset, np.arange(SAVED_EPOCH) % len(dataset))
    loader = fastload.DataLoader(long, job.batch, shuffle=True, num_workers=job.threads, cache=0)
    running = iter(loader)
    next(running)

    def window() -> Iterator[int]:
        for _ in range(job.passes):
            loader.state_dict()
            yield 1

    return window


def order(job: Job) -> Window:
    """One window orders an epoch of a thousand long-tailed classes, drawn equally often."""
    images = job.passes * IMAGES_OF_A_PASS
    parts = 1 / np.arange(1, CLASSES + 1)
    counts = np.ceil(images * parts / parts.sum()).astype(np.int64)
    sampler = BalancedSampler(ClassLists.of_counts(counts), "class", epoch_length=images)
    epochs = count()

    def window() -> Iterator[int]:
        yield len(sampler.order(next(epochs)))

    return window


def duplicates(job: Job) -> Window:
    """One window groups ``job.passes`` times 100,000 hashes, those alone told apart first."""
    hashes, pictures = hashes_with_families(job.passes * HASHES_OF_A_PASS)

    def window() -> Iterator[int]:
        near = library.mark_near(hashes, DISTANCE, job.threads)
        library.group_near(hashes[near], pictures[near], DISTANCE, CORRELATION, job.threads)
        yield len(hashes)

    return window
