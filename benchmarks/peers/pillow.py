"""Pillow's own resize of images that are in memory already."""

from __future__ import annotations

from collections.abc import Iterator

import PIL
from PIL import Image

from benchmarks.crops import read_crops
from benchmarks.job import SIDE, Job
from benchmarks.worker import Window

VERSION = f"Pillow {PIL.__version__}"


def resize(job: Job) -> Window:
    """One window resizes every crop ``job.passes`` times."""
    crops = [Image.fromarray(crop) for crop in read_crops(job.crops)]

    def window() -> Iterator[int]:
        for _ in range(job.passes):
            for crop in crops:
                crop.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
            yield len(crops)

    return window
