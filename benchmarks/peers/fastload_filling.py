"""fastload with a cache that has nothing yet."""

from __future__ import annotations

from benchmarks.job import Job
from benchmarks.loading import passes_of
from benchmarks.peers import fastload
from benchmarks.peers.fastload import VERSION as VERSION
from benchmarks.peers.fastload import pack as pack
from benchmarks.worker import Window

CACHE = "8GB"


def load(job: Job) -> Window:
    """What a window decodes is kept."""
    return passes_of(fastload.loader_of(job, CACHE))
