"""Lightning's Trainer over both libraries: fit, validate, every batch and epoch in its place."""

from __future__ import annotations

import warnings
from itertools import chain
from typing import Any

import pytest
import torch
from torch import nn
from torchvision.transforms import v2

from tests.callers.conftest import COUNTS, Library

lightning = pytest.importorskip("lightning", reason="lightning is not installed (extra: train)")

TRANSFORM = v2.Compose(
    [
        v2.RandomResizedCrop(24, scale=(0.5, 1), antialias=True),
        v2.RandomHorizontalFlip(),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
    ]
)


class Classifier(lightning.LightningModule):  # type: ignore[name-defined, misc]
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Flatten(), nn.LazyLinear(len(COUNTS)))
        self.train_labels: list[list[int]] = []
        self.accuracy: list[torch.Tensor] = []

    def training_step(self, batch: Any, _: int) -> torch.Tensor:
        images, labels = batch
        self.train_labels.append(labels.tolist())
        return nn.functional.cross_entropy(self.model(images), labels)

    def validation_step(self, batch: Any, _: int) -> None:
        images, labels = batch
        self.accuracy.extend((self.model(images).argmax(1) == labels).float())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def fit(library: Library, epochs: int, **options: Any) -> Classifier:
    torch.manual_seed(0)
    dataset = library.ImageFolder(str(library.root), TRANSFORM)
    train = library.DataLoader(dataset, batch_size=16, shuffle=True, num_workers=2)
    validate = library.DataLoader(dataset, batch_size=16, num_workers=2)
    classifier = Classifier()
    with torch.no_grad():
        classifier.model(torch.zeros(1, 3, 24, 24))
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **options,
    )
    with warnings.catch_warnings():
        # Lightning compares num_workers, which are processes to it, with the machine's CPUs.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*lower value for log_every_n_steps.*")
        trainer.fit(classifier, train, validate)
    return classifier


def test_trainer_fits_and_validates(library: Library) -> None:
    classifier = fit(library, epochs=4, check_val_every_n_epoch=4)
    batches = classifier.train_labels
    assert [len(labels) for labels in batches] == [16] * 16
    epochs = [list(chain(*batches[start : start + 4])) for start in range(0, 16, 4)]
    assert all(sorted(labels) == [0] * 10 + [1] * 20 + [2] * 34 for labels in epochs)
    assert len({tuple(labels) for labels in epochs}) == 4, "every epoch has its own order"
    assert len(classifier.accuracy) == 64
    assert torch.stack(classifier.accuracy).mean() > 0.8


def test_limited_batches_leave_the_loader_usable(ours: Library) -> None:
    classifier = fit(ours, epochs=2, limit_train_batches=2, limit_val_batches=1)
    assert len(classifier.train_labels) == 4
    assert len(classifier.accuracy) == 32
