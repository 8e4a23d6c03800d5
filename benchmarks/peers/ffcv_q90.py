"""FFCV with JPEGs of quality 90, which is that of resized photos."""

from __future__ import annotations

from benchmarks.job import Job
from benchmarks.peers import ffcv
from benchmarks.peers.ffcv import VERSION as VERSION
from benchmarks.peers.ffcv import load as load
from benchmarks.worker import Window


def pack(job: Job) -> Window:
    """One window writes the whole folder; FFCV's writer encodes every photo anew."""
    return ffcv.packing(job, write_mode="jpg", jpeg_quality=90)
