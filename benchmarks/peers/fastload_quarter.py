"""fastload with a quarter of the cache that the whole data set would need."""

from __future__ import annotations

from collections import deque

import fastload
from benchmarks.job import WHOLE_UINT8, Job
from benchmarks.peers.fastload import VERSION as VERSION
from benchmarks.peers.fastload import balanced_passes
from benchmarks.peers.fastload import pack as pack
from benchmarks.recipes import torchvision_transform
from benchmarks.worker import Window

AMPLE = "64GB"


def bytes_of_all(job: Job) -> int:
    """What a cache keeps of whole images, each loaded once."""
    dataset = fastload.ImageFolder(job.packed, torchvision_transform(WHOLE_UINT8))
    loader = fastload.DataLoader(dataset, job.batch, num_workers=job.threads, cache=AMPLE)
    deque(loader, maxlen=0)
    needed = loader.stats().cache_bytes
    loader.close()
    return needed


def balanced(job: Job) -> Window:
    """Epochs with equal classes, of which two have gone by."""
    window = balanced_passes(job, bytes_of_all(job) // 4)
    for _ in range(2):
        deque(window(), maxlen=0)
    return window
