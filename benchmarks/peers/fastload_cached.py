"""fastload with everything that it can keep in its cache before the first window."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.job import WHOLE_UINT8, Job
from benchmarks.peers import fastload
from benchmarks.peers.fastload import VERSION as VERSION
from benchmarks.peers.fastload import pack as pack
from benchmarks.worker import Window

CACHE = "8GB"


def load(job: Job) -> Window:
    """A pass over whole images has filled the cache."""
    loader = fastload.loader_of(job, CACHE)
    for _ in fastload.loader_of(replace(job, recipe=WHOLE_UINT8, passes=1), CACHE):
        pass
    return fastload.passes_of(loader)
