"""fastload with DALI computing, on the CPU."""

from __future__ import annotations

import fastload as library
from benchmarks.job import Job
from benchmarks.peers import fastload
from benchmarks.peers.dali import VERSION as DALI
from benchmarks.peers.fastload import pack as pack
from benchmarks.worker import Window

VERSION = f"fastload {library.__version__}, {DALI}"


def load(job: Job) -> Window:
    """The loader of the native engine, one argument added."""
    return fastload.passes_of(fastload.loader_of(job, cache=0, engine="dali"))
