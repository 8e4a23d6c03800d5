"""Folders as runs leave them, without a run: their figures go as those of a training do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fastload
from train_ref.config import Config
from train_ref.metrics import score
from train_ref.run_folder import Logits, MetricLog, RunFolder, save_logits

STEPS_OF_AN_EPOCH = 20
SETTINGS = Config(model="efficientnet_b0", epochs=12, loss="balanced-softmax", mixup=0.2)


@dataclass(frozen=True)
class Recipe:
    """What a made-up run is of; records are those of its pack."""

    data: Path
    split: str | None = None
    fold: int | None = None
    val_data: Path | None = None
    config: Config = SETTINGS
    epochs: int = 12
    tau: float = 0.4
    skill: float = 3.0
    seed: int = 0


def made_run(path: Path, recipe: Recipe, classes: Sequence[str] | None = None) -> RunFolder:
    """Write a run's folder; `classes` are other names for those of the pack."""
    path.mkdir(parents=True)
    folder = RunFolder(path)
    train, val = _parts(recipe)
    counts = train.class_counts
    names = list(classes or train.classes)
    folder.config.write_text(recipe.config.replace(data=str(recipe.data)).to_yaml(), "utf-8")
    folder.write_facts(_facts(recipe, names, counts.tolist(), val.class_counts.tolist()))
    rng = np.random.default_rng(recipe.seed)
    labels = np.asarray(val.targets, np.int64)
    _log(folder, recipe, labels, counts, rng)
    logits = _logits(labels, counts, recipe.skill, rng)
    records = val.records(np.arange(len(val), dtype=np.int64))
    paths = tuple(str(Path(one).relative_to(str(val.root))) for one, _ in val.samples)
    save_logits(folder.logits, Logits(logits, labels, records, paths))
    _see(folder, train, rng)
    return folder


def _parts(recipe: Recipe) -> tuple[fastload.ImageFolder, fastload.ImageFolder]:
    if recipe.val_data is not None:
        return fastload.ImageFolder(recipe.data), fastload.ImageFolder(recipe.val_data)
    train, val = (
        fastload.ImageFolder(recipe.data, split=recipe.split, fold=recipe.fold, part=part)
        for part in ("train", "val")
    )
    return train, val


def _facts(
    recipe: Recipe, names: list[str], counts: list[int], val_counts: list[int]
) -> dict[str, Any]:
    return {
        "versions": {"python": "3.12.1", "torch": "2.9.0", "fastload": fastload.__version__},
        "seed": 0,
        "classes": names,
        "counts": counts,
        "val_counts": val_counts,
        "data": str(recipe.data),
        "val_data": None if recipe.val_data is None else str(recipe.val_data),
        "split": recipe.split,
        "fold": recipe.fold,
        "fingerprint": "sha256:5b1d0f",
        "origin": "ImageNet weights of torchvision, a new head for these classes.",
        "device": "NVIDIA H100",
        "model": "efficientnet_b0",
        "parameters": 4_031_887,
        "command": ["/opt/train_ref/__main__.py", "fit", "--data", "walls and floors.pack"],
    }


def _logits(
    labels: np.ndarray, counts: np.ndarray, skill: float, rng: np.random.Generator
) -> np.ndarray:
    """Surer of frequent classes than of rare ones, as models of such data are."""
    logits = rng.normal(0, 1.2, (len(labels), len(counts))) + 0.5 * np.log(counts + 1)
    logits[np.arange(len(labels)), labels] += skill
    return logits.astype(np.float32)


def _log(
    folder: RunFolder,
    recipe: Recipe,
    labels: np.ndarray,
    counts: np.ndarray,
    rng: np.random.Generator,
) -> None:
    log, planned = MetricLog(folder.metrics), recipe.config.epochs * STEPS_OF_AN_EPOCH
    for epoch in range(recipe.epochs):
        done = (epoch + 1) / recipe.config.epochs
        for step in range(epoch * STEPS_OF_AN_EPOCH + 1, (epoch + 1) * STEPS_OF_AN_EPOCH + 1):
            loss = 0.35 + 2.5 * np.exp(-4 * step / planned) + rng.normal(0, 0.12)
            rate = 1e-3 * min(1, step / 20) * (1 + np.cos(np.pi * step / planned)) / 2
            log.append(
                kind="step", step=step, epoch=epoch, loss=float(loss), lr=rate, grad_norm=1.0
            )
        scores = score(_logits(labels, counts, recipe.skill * done, rng), labels, counts)
        log.append(
            kind="epoch",
            epoch=epoch,
            step=(epoch + 1) * STEPS_OF_AN_EPOCH,
            train_loss=0.35 + 2.5 * float(np.exp(-4 * done)),
            seconds=31.0,
            images_per_second=1480.0 + float(rng.normal(0, 15)) - 300 * (epoch == 0),
            data_wait=0.011 + 0.03 * (epoch == 0),
            resolution=224,
            val=scores.headline(),
        )
    if recipe.epochs == recipe.config.epochs:
        best = scores.headline()
        log.append(
            kind="final",
            scores=best,
            tau=recipe.tau,
            scores_before=best,
            scores_cross_fitted={"macro_f1": 0.4321},
            two_stage=recipe.config.two_stage,
        )


def _see(folder: RunFolder, train: fastload.ImageFolder, rng: np.random.Generator) -> None:
    chosen = rng.permutation(len(train))[:32].tolist()
    images = [
        np.asarray(train[one][0].resize((96, 96)))[:, :: rng.choice([1, -1])] for one in chosen
    ]
    labels = np.array([train.targets[one] for one in chosen], np.int64)
    with folder.seen.open("wb") as file:
        np.savez(file, images=np.stack(images), labels=labels)
