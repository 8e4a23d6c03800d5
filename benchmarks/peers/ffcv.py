"""FFCV: its DatasetWriter and Loader over JPEGs of quality 95 and the source's size."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import numpy as np
from ffcv.fields import IntField, RGBImageField
from ffcv.fields.decoders import IntDecoder, RandomResizedCropRGBImageDecoder
from ffcv.loader import Loader, OrderOption
from ffcv.reader import Reader
from ffcv.transforms import RandomHorizontalFlip, Squeeze, ToTensor, ToTorchImage
from ffcv.writer import DatasetWriter
from torchvision.datasets import ImageFolder

from benchmarks.job import SIDE, Job
from benchmarks.loading import passes_of
from benchmarks.recipes import only_train_uint8
from benchmarks.worker import Window

VERSION = f"FFCV {version('ffcv')}"


def load(job: Job) -> Window:
    """One window is one long epoch over ``job.passes`` runs of the indices."""
    only_train_uint8(job.recipe, "FFCV")
    samples = int(Reader(job.packed).num_samples)
    loader = Loader(
        job.packed,
        job.batch,
        num_workers=job.threads,
        os_cache=True,
        order=OrderOption.RANDOM,
        indices=np.tile(np.arange(samples), job.passes),
        drop_last=True,
        pipelines={
            "image": [
                RandomResizedCropRGBImageDecoder((SIDE, SIDE)),
                RandomHorizontalFlip(),
                ToTensor(),
                ToTorchImage(),
            ],
            "label": [IntDecoder(), ToTensor(), Squeeze()],
        },
    )
    return passes_of(loader)


def pack(job: Job) -> Window:
    """One window writes the whole folder."""
    return packing(job, write_mode="jpg", jpeg_quality=95)


def packing(job: Job, **image_options: object) -> Window:
    """One window writes the whole folder, images as the options say."""
    dataset = ImageFolder(job.photos)
    fields = {"image": RGBImageField(**image_options), "label": IntField()}

    def window() -> Iterator[int]:
        DatasetWriter(job.packed, fields, num_workers=job.threads).from_indexed_dataset(dataset)
        yield len(dataset)

    return window
