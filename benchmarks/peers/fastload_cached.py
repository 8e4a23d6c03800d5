"""fastload with everything that it can keep in its cache before the first window."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from benchmarks.job import WHOLE_UINT8, Job
from benchmarks.loading import passes_of
from benchmarks.peers import fastload
from benchmarks.peers.fastload import VERSION as VERSION
from benchmarks.peers.fastload import pack as pack
from benchmarks.train_step import training
from benchmarks.worker import Window

CACHE = "8GB"


def fill(job: Job) -> None:
    """Fill the cache, which the loaders of one pack share, by a pass over whole images."""
    for _ in fastload.loader_of(replace(job, recipe=WHOLE_UINT8, passes=1), CACHE):
        pass


def load(job: Job) -> Window:
    """Nothing is decoded but what was not kept."""
    loader = fastload.loader_of(job, CACHE)
    fill(job)
    return passes_of(loader)


def train(job: Job) -> Window:
    """The same, each batch followed by a training step."""
    loader = fastload.loader_of(job, CACHE)
    fill(job)
    return training(loader)


def balanced(job: Job) -> Window:
    """Epochs with equal classes, of which two have gone by."""
    window = fastload.balanced_passes(job, CACHE)
    for _ in range(2):
        deque(window(), maxlen=0)
    return window
