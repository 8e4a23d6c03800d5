"""MosaicML Streaming: MDS shards, read sample by sample by its StreamingDataLoader."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from streaming import MDSWriter, Stream, StreamingDataLoader, StreamingDataset
from streaming.base.util import clean_stale_shared_memory
from torch import Tensor
from torchvision.datasets import ImageFolder

from benchmarks.job import Job
from benchmarks.loading import passes_of
from benchmarks.recipes import FromBytes
from benchmarks.worker import Window

VERSION = f"MosaicML Streaming {version('mosaicml-streaming')}"


class Photos(StreamingDataset):
    """Its samples, decoded by the caller: its own decoder is Pillow."""

    def __init__(self, job: Job) -> None:
        stream = Stream(local=job.packed, repeat=job.passes)
        super().__init__(streams=[stream], shuffle=True, batch_size=job.batch)
        self._image_of = FromBytes(job.recipe)

    def __getitem__(self, at: int) -> tuple[Tensor, int]:
        sample = super().__getitem__(at)
        return self._image_of(sample["image"]), sample["label"]


def load(job: Job) -> Window:
    """One window is one epoch of ``job.passes`` times all samples."""
    # What a process that was killed has left behind would stop this one.
    clean_stale_shared_memory()
    return passes_of(
        StreamingDataLoader(
            Photos(job),
            batch_size=job.batch,
            num_workers=job.threads,
            persistent_workers=job.threads > 0,
            drop_last=True,
        )
    )


def pack(job: Job) -> Window:
    """One window writes the whole folder."""
    samples = ImageFolder(job.photos).samples

    def window() -> Iterator[int]:
        with MDSWriter(out=job.packed, columns={"image": "bytes", "label": "int"}) as writer:
            for path, label in samples:
                writer.write({"image": Path(path).read_bytes(), "label": label})
        yield len(samples)

    return window
