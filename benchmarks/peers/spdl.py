"""SPDL: FFmpeg decodes, crops, resizes and flips in the threads of its loader."""

from __future__ import annotations

from importlib.metadata import version

import spdl.io
import torch
from spdl.dataloader import DataLoader
from spdl.io import ImageFrames
from torch import Tensor
from torch.utils.data import BatchSampler, RandomSampler
from torchvision.datasets import ImageFolder
from torchvision.transforms import RandomResizedCrop

from benchmarks.crops import RATIO, SCALE
from benchmarks.job import SIDE, Job
from benchmarks.loading import passes_of
from benchmarks.recipes import only_train_uint8
from benchmarks.worker import Window

VERSION = f"SPDL {version('spdl')}"


def drawn_filter(height: int, width: int) -> str:
    """What FFmpeg does with one image: torchvision draws the box, and a coin the flip."""
    shape = torch.empty(3, height, width, device="meta")
    top, left, height, width = RandomResizedCrop.get_params(shape, SCALE, RATIO)
    flip = "hflip," if torch.rand(1) < 0.5 else ""
    # FFmpeg moves the box to even places where the chroma is subsampled.
    return (
        f"crop={width}:{height}:{left}:{top},scale={SIDE}:{SIDE}:flags=bilinear,"
        f"{flip}format=pix_fmts=rgb24"
    )


def load(job: Job) -> Window:
    """One window is one long epoch of ``job.passes`` permutations."""
    only_train_uint8(job.recipe, "SPDL")
    samples = ImageFolder(job.photos).samples
    sampler = RandomSampler(samples, num_samples=job.passes * len(samples))

    def frames_of(path: str) -> ImageFrames:
        packets = spdl.io.demux_image(path)
        return spdl.io.decode_packets(packets, drawn_filter(packets.height, packets.width))

    def batch_of(rows: list[int]) -> tuple[Tensor, Tensor]:
        paths, labels = zip(*(samples[row] for row in rows), strict=True)
        # Interleaved (HWC), as FFmpeg gives them.
        images = spdl.io.convert_frames([frames_of(path) for path in paths])
        return spdl.io.to_torch(images), torch.tensor(labels)

    # A batch a call: with a call for each image it took 1.2 times as long.
    return passes_of(
        DataLoader(
            BatchSampler(sampler, job.batch, drop_last=True),
            preprocessor=batch_of,
            num_threads=job.threads,
        )
    )
