"""SPDL: FFmpeg decodes, crops, resizes and flips in the threads of its loader."""

from __future__ import annotations

from importlib.metadata import version

import spdl.io
import torch
from spdl.dataloader import DataLoader
from spdl.io import ImageFrames
from torch import Tensor
from torch.utils.data import RandomSampler
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


def batch_of(samples: list[tuple[ImageFrames, int]]) -> tuple[Tensor, Tensor]:
    """Images interleaved (HWC), as FFmpeg gives them."""
    frames, labels = zip(*samples, strict=True)
    return spdl.io.to_torch(spdl.io.convert_frames(list(frames))), torch.tensor(labels)


def load(job: Job) -> Window:
    """One window is one long epoch of ``job.passes`` permutations."""
    only_train_uint8(job.recipe, "SPDL")
    samples = ImageFolder(job.photos).samples

    def frames_of(row: int) -> tuple[ImageFrames, int]:
        path, label = samples[row]
        packets = spdl.io.demux_image(path)
        drawn = drawn_filter(packets.height, packets.width)
        return spdl.io.decode_packets(packets, drawn), label

    return passes_of(
        DataLoader(
            RandomSampler(samples, num_samples=job.passes * len(samples)),
            preprocessor=frames_of,
            aggregator=batch_of,
            batch_size=job.batch,
            drop_last=True,
            num_threads=job.threads,
        )
    )
