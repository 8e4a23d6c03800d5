"""ImageFolder with torchvision's own decoder and its transforms of tensors: no Pillow."""

from __future__ import annotations

from torch import Tensor
from torchvision.datasets import ImageFolder
from torchvision.io import ImageReadMode, decode_image

from benchmarks.job import Job
from benchmarks.loading import long_epoch, passes_of
from benchmarks.peers.imagefolder import VERSION as VERSION
from benchmarks.recipes import tensor_transform
from benchmarks.worker import Window


def decoded(path: str) -> Tensor:
    """A file, read and decoded in one call."""
    return decode_image(path, ImageReadMode.RGB)


def folder_of(job: Job) -> ImageFolder:
    """The label folder as a data set whose images are tensors from the start."""
    return ImageFolder(job.photos, tensor_transform(job.recipe), loader=decoded)


def load(job: Job) -> Window:
    """The loader of ``imagefolder.py``."""
    return passes_of(long_epoch(folder_of(job), job))
