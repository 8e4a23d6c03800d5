"""SPDL's loader with torchvision's decoder and transforms in its threads, in FFmpeg's place."""

from __future__ import annotations

from importlib.metadata import version

import torch
from spdl.dataloader import DataLoader
from torch import Tensor
from torch.utils.data import BatchSampler, RandomSampler, default_collate

from benchmarks.job import Job
from benchmarks.loading import passes_of
from benchmarks.peers.imagefolder_torchvision import folder_of
from benchmarks.worker import Window

VERSION = f"SPDL {version('spdl')}"


def load(job: Job) -> Window:
    """One window is one long epoch of ``job.passes`` permutations."""
    # SPDL's own threads are what runs in parallel.
    torch.set_num_threads(1)
    dataset = folder_of(job)
    sampler = RandomSampler(dataset, num_samples=job.passes * len(dataset))

    def batch_of(rows: list[int]) -> list[Tensor]:
        return default_collate([dataset[row] for row in rows])

    return passes_of(
        DataLoader(
            BatchSampler(sampler, job.batch, drop_last=True),
            preprocessor=batch_of,
            num_threads=job.threads,
        )
    )
