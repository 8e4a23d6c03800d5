"""torchvision.io, torchvision's own decoder."""

from __future__ import annotations

import torch
import torchvision
from torchvision.io import ImageReadMode, decode_jpeg

from benchmarks.job import Job
from benchmarks.whole_decode import decoding
from benchmarks.worker import Window

VERSION = f"torchvision {torchvision.__version__}"


def decode(job: Job) -> Window:
    """To a planar uint8 tensor."""

    def decode_file(file: bytes) -> torch.Tensor:
        # A copy, since torch wants memory that can be written to.
        data = torch.frombuffer(bytearray(file), dtype=torch.uint8)
        return decode_jpeg(data, ImageReadMode.RGB)

    return decoding(job, decode_file)
