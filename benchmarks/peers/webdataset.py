"""WebDataset: tar files, each read from its beginning to its end, shuffled in a buffer."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from torchvision.datasets import ImageFolder
from webdataset import ShardWriter, WebDataset, WebLoader

from benchmarks.job import Job
from benchmarks.loading import passes_of
from benchmarks.recipes import FromBytes
from benchmarks.worker import Window

VERSION = f"WebDataset {version('webdataset')}"
SHARDS = 8
SHUFFLED = 1000


def load(job: Job) -> Window:
    """One window is one epoch over ``job.passes`` times all shards, batches made by the workers."""
    shards = [str(file) for file in sorted(Path(job.packed).iterdir())] * job.passes
    workers = max(1, job.threads)
    dataset = (
        WebDataset(shards, shardshuffle=len(shards), empty_check=False)
        .shuffle(SHUFFLED)
        .to_tuple("jpg;jpeg;png", "cls")
        .map_tuple(FromBytes(job.recipe), int)
        .batched(job.batch, partial=False)
    )
    # Without an end of its own a worker would decode the images of a batch that is never full.
    images = job.passes * len(ImageFolder(job.photos)) // workers
    return passes_of(
        WebLoader(
            dataset.with_epoch(images // job.batch),
            batch_size=None,
            num_workers=job.threads,
            persistent_workers=job.threads > 0,
        )
    )


def pack(job: Job) -> Window:
    """One window writes the whole folder in random order, as a reader of whole shards wants it."""
    samples = ImageFolder(job.photos).samples
    random.Random(0).shuffle(samples)

    def window() -> Iterator[int]:
        Path(job.packed).mkdir()
        pattern = f"{job.packed}/%05d.tar"
        with ShardWriter(pattern, maxcount=math.ceil(len(samples) / SHARDS), verbose=0) as writer:
            for number, (path, label) in enumerate(samples):
                file = Path(path)
                image = {file.suffix[1:].lower(): file.read_bytes()}
                writer.write({"__key__": f"{number:09d}", "cls": label, **image})
        yield len(samples)

    return window
