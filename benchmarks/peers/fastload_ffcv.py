"""fastload with engine="ffcv": FFCV's decoder and resize, over the pack."""

from __future__ import annotations

from importlib.metadata import version

from benchmarks.job import Job
from benchmarks.loading import passes_of
from benchmarks.peers import fastload
from benchmarks.peers.fastload import pack as pack
from benchmarks.worker import Window

VERSION = f"{fastload.VERSION}, FFCV {version('ffcv')}"


def load(job: Job) -> Window:
    """The loader of ``fastload.py`` with another engine; that one has no cache."""
    return passes_of(fastload.loader_of(job, cache=0, engine="ffcv"))
