"""fastload with DALI computing, on the CPU."""

from __future__ import annotations

import torch

import fastload as library
from benchmarks.job import Job
from benchmarks.loading import passes_of
from benchmarks.peers import fastload
from benchmarks.peers.dali import VERSION as DALI
from benchmarks.peers.fastload import pack as pack
from benchmarks.worker import Window

VERSION = f"fastload {library.__version__}, {DALI}"


def load(job: Job) -> Window:
    """The channels of a pixel lie beside each other, as in the batches of DALI's own pipeline."""
    loader = fastload.loader_of(job, cache=0, engine="dali", memory_format=torch.channels_last)
    return passes_of(loader)
