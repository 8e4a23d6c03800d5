"""Lightning's Trainer over both libraries: fit, validate, every batch and epoch in its place."""

from __future__ import annotations

import contextlib
import warnings
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torchvision.transforms import v2

from tests.callers.conftest import COUNTS, Library

lightning = pytest.importorskip("lightning", reason="lightning is not installed (extra: callers)")

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


class _StopError(Exception):
    """As if the machine went down."""


class _Recorder(Classifier):
    """Notes what it is served, and stops after so many batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._batches = batches
        self.served: list[bytes] = []

    def training_step(self, batch: Any, number: int) -> torch.Tensor:
        if len(self.served) == self._batches:
            raise _StopError
        self.served.append(batch[0].numpy().tobytes())
        return super().training_step(batch, number)


ORDERS: dict[str, dict[str, Any]] = {
    "shuffled": {"batch_size": 16, "shuffle": True},
    "batches of classes": {"balance": "progressive:2", "per_batch": (2, 8)},
}


def train(
    ours: Library, folder: Path, order: str, batches: int, checkpoint: Path | None
) -> list[bytes]:
    """Two epochs of four batches, or as far as they are let; a checkpoint after each batch."""
    dataset = ours.ImageFolder(str(ours.root), TRANSFORM)
    loader = ours.DataLoader(dataset, num_workers=2, seed=4, **ORDERS[order])
    recorder = _Recorder(batches)
    with torch.no_grad():
        recorder.model(torch.zeros(1, 3, 24, 24))
    saver = lightning.pytorch.callbacks.ModelCheckpoint(
        folder, filename="{step}", every_n_train_steps=1, save_top_k=-1
    )
    trainer = lightning.Trainer(
        max_epochs=2,
        accelerator="cpu",
        devices=1,
        logger=False,
        callbacks=[saver],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with warnings.catch_warnings(), contextlib.suppress(_StopError):
        warnings.simplefilter("ignore")
        trainer.fit(recorder, loader, ckpt_path=checkpoint, weights_only=False)
    return recorder.served


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("batches", [1, 3, 4, 6])
def test_a_checkpoint_goes_on_at_the_next_batch(
    ours: Library, tmp_path: Path, order: str, batches: int
) -> None:
    whole = train(ours, tmp_path / "whole", order, 100, None)
    assert len(set(whole)) == 8
    assert train(ours, tmp_path / "first", order, batches, None) == whole[:batches]
    checkpoint = tmp_path / "first" / f"step={batches}.ckpt"
    assert train(ours, tmp_path / "second", order, 100, checkpoint) == whole[batches:]
