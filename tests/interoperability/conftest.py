"""A pack of JPEG in several shards, some of them appended, classes in Hangul, and its images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastload
from fastload.store import open_pack
from tests.conftest import picture

CLASSES = ("개", "고양이", 'cat\'s, "and" so on')


def write_jpegs(root: Path, first: int, count: int) -> Path:
    """So many JPEG in each class, of all sizes."""
    rng = np.random.default_rng(first)
    for name in CLASSES:
        (root / name / "아래").mkdir(parents=True)
        for number in range(first, first + count):
            sides = (int(side) for side in rng.integers(40, 130, 2))
            image = Image.fromarray(picture(rng, *sides))
            image.save(root / name / "아래" / f"{number}.1.jpg", quality=90)
    return root


@pytest.fixture(scope="session")
def jpeg_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 images in three classes. Not to be changed."""
    folder = tmp_path_factory.mktemp("jpeg")
    pack = fastload.pack(write_jpegs(folder / "data", 0, 8), shard_size="30kB").path
    fastload.append(pack, write_jpegs(folder / "more", 8, 4))
    assert len(open_pack(pack).manifest.shards) > 3
    return pack


def records(pack: Path) -> list[tuple[bytes, np.ndarray, int]]:
    """Stored bytes, pixels and label of each record, in the order of the shards."""
    opened, dataset = open_pack(pack), fastload.ImageFolder(pack)
    samples = {int(record): sample for sample, record in enumerate(opened.index.listing)}
    found = []
    for record in range(len(opened)):
        image, label = dataset[samples[record]]
        found.append((bytes(opened.payload(record)), np.asarray(image), label))
    return found
