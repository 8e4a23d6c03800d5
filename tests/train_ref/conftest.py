"""A pack to train with, and small runs of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import fastload
from train_ref.config import Config
from train_ref.distributed import Place
from train_ref.run import train
from train_ref.run_folder import MetricLog, RunFolder

# Of these no two runs have the same.
_FLEETING = ("seconds", "images_per_second", "data_wait")


@pytest.fixture(scope="session")
def train_pack(small_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """22 images in four classes, with a hold-out of five. Not to be changed."""
    pack = tmp_path_factory.mktemp("train_ref") / "train.pack"
    shutil.copytree(small_pack, pack)
    fastload.holdout(pack, 0.2).save()
    return pack


@pytest.fixture(scope="session")
def quick(train_pack: Path) -> Config:
    """Settings of a run of two epochs of four steps."""
    return Config(
        data=str(train_pack),
        val=0.2,
        model="tiny",
        epochs=2,
        batch_size=4,
        workers=1,
        cache="0",
        device="cpu",
        seed=5,
    )


def trained(config: Config, folder: Path, *, goes_on: bool = False) -> dict[str, float]:
    """Train a run in this process."""
    return train(config, RunFolder(folder), Place(torch.device("cpu")), goes_on=goes_on)


def figures(folder: Path) -> list[dict[str, Any]]:
    """A run's figures without those that are of the clock."""
    return [
        {name: value for name, value in line.items() if name not in _FLEETING}
        for line in MetricLog(RunFolder(folder).metrics)
    ]
