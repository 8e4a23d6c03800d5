"""``train_ref`` with torchvision's ImageFolder and torch's DataLoader in the loader's place.

``python -m benchmarks.trainer.by_image_folder FOLDER WORKERS fit ...``: all else is the very run,
its split and transforms included. FOLDER is what the pack was made of.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch.utils.data import DataLoader, Subset
from torchvision.datasets import ImageFolder

from train_ref.cli import main
from train_ref.data import paths_of
from train_ref.transforms import evaluation


class FolderLoader:
    """Batches of torch's DataLoader, as train_ref asks a loader of fastload for them.

    Args:
        loader: of uint8 images.
    """

    mix = None

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = loader

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for images, labels in self._loader:
            yield images.contiguous(memory_format=torch.channels_last), labels

    def set_epoch(self, epoch: int) -> None:
        """Nothing: torch's own generator draws the order."""

    def state_dict(self) -> dict[str, Any]:
        """Nothing: such a loader cannot go on within an epoch."""
        return {}


def run(folder: Path, workers: int, arguments: list[str]) -> None:
    """Run a command of train_ref."""

    def loader(dataset: Any, transform: Any, **settings: Any) -> FolderLoader:
        files = ImageFolder(folder, transform)
        places = {path: place for place, (path, _) in enumerate(files.samples)}
        _, paths = paths_of(dataset)
        part = Subset(files, [places[str(folder / path)] for path in paths])
        kept = workers > 0
        loader: DataLoader[Any] = DataLoader(
            part, num_workers=workers, persistent_workers=kept, **settings
        )
        return FolderLoader(loader)

    def training_loader(dataset: Any, config: Any, place: Any) -> FolderLoader:
        batch = config.batch_size
        whole = len(dataset) >= batch
        return loader(dataset, dataset.transform, batch_size=batch, shuffle=True, drop_last=whole)

    def evaluation_loader(dataset: Any, config: Any, wanted: Any) -> FolderLoader:
        return loader(dataset, evaluation(wanted), batch_size=config.batch_size)

    with (
        patch("train_ref.run.training_loader", training_loader),
        patch("train_ref.run.evaluation_loader", evaluation_loader),
    ):
        main(arguments)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
