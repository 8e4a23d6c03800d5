"""FFCV with raw pixels, at the size that its own ImageNet script takes for them: 500 at most."""

from __future__ import annotations

from benchmarks.job import Job
from benchmarks.peers import ffcv
from benchmarks.peers.ffcv import VERSION as VERSION
from benchmarks.peers.ffcv import load as load
from benchmarks.worker import Window

MOST_SIDE = 500


def pack(job: Job) -> Window:
    """One window writes the whole folder."""
    return ffcv.packing(job, write_mode="raw", max_resolution=MOST_SIDE)
