"""One small label folder and its pack, and the two libraries whose names the loops import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch.utils.data
import torchvision.datasets
from PIL import Image

import fastload

COUNTS = {"blue": 10, "green": 20, "red": 34}
COLOURS = {"blue": (40, 60, 210), "green": (50, 190, 60), "red": (220, 50, 40)}


@dataclass(frozen=True)
class Library:
    """What a caller imports, and where its data lies."""

    ImageFolder: Callable[..., Any]
    DataLoader: Callable[..., Any]
    root: Path


@pytest.fixture(scope="session")
def label_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 JPEG files of noisy colours: three uneven classes that a linear model can learn."""
    folder = tmp_path_factory.mktemp("callers") / "photos"
    draw = np.random.default_rng(0)
    for name, count in COUNTS.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            height, width = draw.integers(48, 96, size=2)
            noise = draw.normal(0, 12, (height, width, 1))
            pixels = np.clip(np.array(COLOURS[name]) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number:02}.jpg", quality=90)
    return folder


@pytest.fixture(scope="session")
def reference(label_folder: Path) -> Library:
    """torchvision's ImageFolder and torch's DataLoader."""
    return Library(torchvision.datasets.ImageFolder, torch.utils.data.DataLoader, root=label_folder)


@pytest.fixture(scope="session")
def ours(label_folder: Path) -> Library:
    """The same two names of fastload, over the pack of the same folder."""
    pack = label_folder.with_suffix(".pack")
    fastload.pack(label_folder, pack)
    return Library(fastload.ImageFolder, fastload.DataLoader, root=pack)


@pytest.fixture(params=["reference", "ours"])
def library(request: pytest.FixtureRequest) -> Library:
    """Each of the two: the loop is the same."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Library)
    return found
