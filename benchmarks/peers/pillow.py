"""Pillow itself, on what is in memory already: its resize, its decoder."""

from __future__ import annotations

import io
from collections.abc import Iterator

import PIL
from PIL import Image

from benchmarks.crops import read_crops
from benchmarks.job import SIDE, Job
from benchmarks.whole_decode import decoding
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


def decode(job: Job) -> Window:
    """As torchvision's ImageFolder has it."""
    return decoding(job, lambda file: Image.open(io.BytesIO(file)).convert("RGB"))
