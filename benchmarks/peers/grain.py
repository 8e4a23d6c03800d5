"""Grain: ArrayRecord files; its threads read, decode and put whole batches together.

Its worker processes start anew with each epoch and took more than twice the time for the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import grain
import torch
from array_record.python.array_record_module import ArrayRecordWriter
from torch import Tensor
from torch.utils.data import default_collate
from torchvision.datasets import ImageFolder

from benchmarks.job import Job
from benchmarks.loading import passes_of
from benchmarks.recipes import FromBytes
from benchmarks.worker import Window

VERSION = f"Grain {version('grain')}"
FILE = "photos.array_record"
LABEL_BYTES = 4


def load(job: Job) -> Window:
    """One window is one epoch of ``job.passes`` permutations."""
    # Grain's own threads are what runs in parallel.
    torch.set_num_threads(1)
    image_of = FromBytes(job.recipe)

    def sample_of(record: bytes) -> tuple[Tensor, int]:
        label, image = record[:LABEL_BYTES], record[LABEL_BYTES:]
        return image_of(image), int.from_bytes(label, "little")

    source = grain.sources.ArrayRecordDataSource(str(Path(job.packed) / FILE))
    samples = grain.MapDataset.source(source).seed(0).shuffle().repeat(job.passes).map(sample_of)
    batches = samples.batch(job.batch, drop_remainder=True, batch_fn=default_collate)
    reading = grain.ReadOptions(num_threads=job.threads, prefetch_buffer_size=2 * job.threads)
    return passes_of(batches.to_iter_dataset(reading))


def pack(job: Job) -> Window:
    """One window writes the whole folder: a record is a label and a file's bytes."""
    samples = ImageFolder(job.photos).samples

    def window() -> Iterator[int]:
        Path(job.packed).mkdir()
        # One record a group, as Grain wants it for random access; JPEG does not compress.
        writer = ArrayRecordWriter(str(Path(job.packed) / FILE), "group_size:1,uncompressed")
        for path, label in samples:
            writer.write(label.to_bytes(LABEL_BYTES, "little") + Path(path).read_bytes())
        writer.close()
        yield len(samples)

    return window
