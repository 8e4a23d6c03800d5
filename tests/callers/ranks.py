"""A program for torchrun: one rank of trainings by Lightning or Accelerate over a pack.

python -m torch.distributed.run ... ranks.py accelerate|lightning|undivided PACK OUTPUT

"undivided" is Lightning told to put no sampler of its own in the place of the loader's.

Each rank trains once with each of ORDERS and writes what it was served: OUTPUT/RANK.json holds for
each order lists of samples, one list an epoch, a sample being the first pixels of its image (the
images all differ) and its label.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision.transforms import v2

import fastload

EPOCHS = 2
TRANSFORM = v2.Compose(
    [v2.Resize((8, 8), antialias=True), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
)


ORDERS: dict[str, dict[str, Any]] = {
    "shuffled": {"batch_size": 8, "shuffle": True},
    "balanced": {"batch_size": 8, "balance": "class", "epoch_length": 48},
    "batches of classes": {"balance": "class", "per_batch": (2, 3), "epoch_length": 48},
}


def make_loader(pack: str, order: str) -> fastload.DataLoader:
    # Each rank draws another seed: the loader has to make them agree.
    torch.manual_seed(int(os.environ["RANK"]))
    dataset = fastload.ImageFolder(pack, TRANSFORM)
    return fastload.DataLoader(dataset, num_workers=1, **ORDERS[order])


def make_model() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 3))


def identities(images: torch.Tensor, labels: torch.Tensor) -> list[list[int]]:
    pixels = (images.flatten(1)[:, :24] * 255).round().int().tolist()
    return [[*pixel, label] for pixel, label in zip(pixels, labels.tolist(), strict=True)]


def train_with_accelerate(loader: fastload.DataLoader) -> list[list[list[int]]]:
    import accelerate

    accelerator = accelerate.Accelerator(cpu=True)
    model: Any = make_model()
    optimizer: Any = torch.optim.SGD(model.parameters(), lr=0.01)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    served: list[list[list[int]]] = []
    for _ in range(EPOCHS):
        served.append([])
        for images, labels in loader:
            optimizer.zero_grad()
            accelerator.backward(nn.functional.cross_entropy(model(images), labels))
            optimizer.step()
            served[-1].extend(identities(images, labels))
    return served


def train_with_lightning(
    loader: fastload.DataLoader, divided: bool = True
) -> list[list[list[int]]]:
    import lightning

    class Classifier(lightning.LightningModule):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = make_model()
            self.served: list[list[list[int]]] = []

        def on_train_epoch_start(self) -> None:
            self.served.append([])

        def training_step(self, batch: Any, _: int) -> torch.Tensor:
            images, labels = batch
            self.served[-1].extend(identities(images, labels))
            return nn.functional.cross_entropy(self.model(images), labels)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.01)

    classifier = Classifier()
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        devices=int(os.environ["WORLD_SIZE"]),
        strategy="ddp",
        use_distributed_sampler=divided,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(classifier, loader)
    return classifier.served


def main(framework: str, pack: str, output: str) -> None:
    train = {
        "accelerate": train_with_accelerate,
        "lightning": train_with_lightning,
        "undivided": partial(train_with_lightning, divided=False),
    }[framework]
    served = {order: train(make_loader(pack, order)) for order in ORDERS}
    torch.distributed.destroy_process_group()
    Path(output, f"{os.environ['RANK']}.json").write_text(json.dumps(served))


if __name__ == "__main__":
    main(*sys.argv[1:])
