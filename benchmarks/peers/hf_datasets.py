"""Hugging Face datasets: its Arrow files, mapped, under torch's DataLoader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import datasets
from torch import Tensor
from torch.utils.data import default_collate
from torchvision.datasets import ImageFolder

from benchmarks.job import Job
from benchmarks.loading import long_epoch, passes_of
from benchmarks.recipes import FromBytes
from benchmarks.worker import Window

VERSION = f"Hugging Face datasets {datasets.__version__}"


def load(job: Job) -> Window:
    """Its own decoder is Pillow; it gives the bytes away where that is not wanted."""
    dataset = datasets.load_from_disk(job.packed)
    dataset = dataset.cast_column("image", datasets.Image(decode=False))
    image_of = FromBytes(job.recipe)

    def transform(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {**rows, "image": [image_of(image["bytes"]) for image in rows["image"]]}

    def collate(rows: list[dict[str, Any]]) -> list[Tensor]:
        return default_collate([(row["image"], row["label"]) for row in rows])

    dataset.set_transform(transform)
    return passes_of(long_epoch(dataset, job, collate_fn=collate))


def pack(job: Job) -> Window:
    """One window writes the whole folder, the files' bytes included."""
    folder = ImageFolder(job.photos)
    paths, labels = zip(*folder.samples, strict=True)
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=folder.classes)}
    )

    def window() -> Iterator[int]:
        dataset = datasets.Dataset.from_dict({"image": paths, "label": labels}, features)
        dataset.save_to_disk(job.packed, num_proc=job.threads)
        yield len(dataset)

    return window
