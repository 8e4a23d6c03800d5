"""torchdata.nodes: a batch of indices after the other, each made by one of its threads.

Its worker processes took a tenth more time for the same.
"""

from __future__ import annotations

from importlib.metadata import version

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, RandomSampler, default_collate
from torchdata.nodes import Loader, ParallelMapper, SamplerWrapper

from benchmarks.job import Job
from benchmarks.loading import passes_of
from benchmarks.peers.imagefolder_torchvision import folder_of
from benchmarks.worker import Window

VERSION = f"torchdata {version('torchdata')}"


def load(job: Job) -> Window:
    """One window is one long epoch of ``job.passes`` permutations."""
    # The nodes' own threads are what runs in parallel.
    torch.set_num_threads(1)
    dataset = folder_of(job)
    sampler = RandomSampler(dataset, num_samples=job.passes * len(dataset))

    def batch_of(rows: list[int]) -> list[Tensor]:
        return default_collate([dataset[row] for row in rows])

    rows = SamplerWrapper(BatchSampler(sampler, job.batch, drop_last=True))
    return passes_of(Loader(ParallelMapper(rows, batch_of, num_workers=job.threads)))
