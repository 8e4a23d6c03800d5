"""A run's folder, read for its report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from train_ref.adjustment import adjusted
from train_ref.config import Config, load_yaml
from train_ref.errors import TrainError
from train_ref.metrics import Scores, score
from train_ref.run_folder import Logits, MetricLog, RunFolder, load_logits

__all__ = ["Answers", "Run", "Seen", "read_run", "runs_in"]

# What the runs of `fit --folds` are called.
_FOLD = re.compile(r"fold\d+")


@dataclass(frozen=True)
class Answers:
    """What the best checkpoint says of the validation images.

    Attributes:
        logits: float32, shape (images, classes), without tau.
        probabilities: float64, shape (images, classes), tau being applied.
        labels: int64, shape (images,).
        records: int64, shape (images,): record ids in their pack.
        paths: of the images below their label folder.
        scores: how good the answers are.
    """

    logits: npt.NDArray[np.float32]
    probabilities: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]
    paths: tuple[str, ...]
    scores: Scores


@dataclass(frozen=True)
class Seen:
    """Training images as the model saw them.

    Attributes:
        images: uint8, shape (images, height, width, 3).
        labels: int64, shape (images,).
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """A run, finished or not.

    Attributes:
        folder: where it is.
        config: its settings.
        facts: what it was made of.
        classes: their names.
        counts: int64, shape (classes,): training images.
        tau: of the adjustment that its best checkpoint applies to logits; 0 for none.
        steps, epochs: its figures, see :class:`~train_ref.run_folder.MetricLog`.
        final: its last figures; {} while it is not through.
        answers: on the validation images; None where none were validated.
        seen: None where no batch was kept.
    """

    folder: RunFolder
    config: Config
    facts: dict[str, Any]
    classes: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    tau: float
    steps: list[dict[str, Any]]
    epochs: list[dict[str, Any]]
    final: dict[str, Any]
    answers: Answers | None
    seen: Seen | None

    @property
    def name(self) -> str:
        """The run's name, that of its folder; a fold has that of its cross-validation first."""
        path = self.folder.path.resolve()
        return f"{path.parent.name}, {path.name}" if _FOLD.fullmatch(path.name) else path.name


def runs_in(path: Path) -> list[RunFolder]:
    """The run in a folder, or the runs in the folders in it, by name.

    Raises:
        TrainError: there is none.
    """
    if RunFolder(path).facts.is_file():
        return [RunFolder(path)]
    inside = sorted(path.iterdir()) if path.is_dir() else []
    found = [RunFolder(one) for one in inside if RunFolder(one).facts.is_file()]
    if not found:
        raise TrainError(
            f"{path} is no run's folder and has none in it: a run has a run.json, which "
            "`python -m train_ref fit` writes."
        )
    return found


def read_run(folder: RunFolder) -> Run:
    """Read all that a report tells of.

    Raises:
        TrainError: a file is broken or one that every run has is missing.
    """
    facts = folder.read_facts()
    try:
        classes = tuple(map(str, facts["classes"]))
        counts = np.asarray(facts["counts"], np.int64)
    except (KeyError, TypeError, ValueError) as error:
        raise TrainError(f"{folder.facts} does not say the classes: {error!r}") from error
    figures = _figures(folder)
    finals = [one for one in figures if one.get("kind") == "final"]
    final = finals[-1] if finals else {}
    tau = float(final.get("tau") or 0.0)
    return Run(
        folder=folder,
        config=Config(**load_yaml(folder.config)),
        facts=facts,
        classes=classes,
        counts=counts,
        tau=tau,
        steps=[one for one in figures if one.get("kind") == "step"],
        epochs=[one for one in figures if one.get("kind") == "epoch"],
        final=final,
        answers=_answers(folder, counts, tau),
        seen=_seen(folder),
    )


def _figures(folder: RunFolder) -> list[dict[str, Any]]:
    try:
        return list(MetricLog(folder.metrics))
    except ValueError as error:
        raise TrainError(f"{folder.metrics} is no log of figures: {error}") from error


def _answers(folder: RunFolder, counts: npt.NDArray[np.int64], tau: float) -> Answers | None:
    if not folder.logits.exists():
        return None
    kept = load_logits(folder.logits)
    _check(folder, kept, len(counts))
    if not len(kept.labels):
        return None
    moved = adjusted(kept.logits, counts, tau)
    return Answers(
        logits=kept.logits,
        probabilities=_probabilities(moved),
        labels=kept.labels,
        records=kept.records,
        paths=kept.paths,
        scores=score(moved, kept.labels, counts),
    )


def _check(folder: RunFolder, kept: Logits, classes: int) -> None:
    images = len(kept.labels)
    if kept.logits.shape != (images, classes) or len(kept.paths) != images:
        raise TrainError(
            f"{folder.logits} has logits of shape {kept.logits.shape}, {images} labels and "
            f"{len(kept.paths)} paths; the run has {classes} classes."
        )


def _probabilities(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    raised = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    shares: npt.NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _seen(folder: RunFolder) -> Seen | None:
    if not folder.seen.exists():
        return None
    try:
        with np.load(folder.seen, allow_pickle=False) as file:
            return Seen(file["images"], file["labels"])
    except (OSError, ValueError, KeyError) as error:
        raise TrainError(f"{folder.seen} has no images: {error}") from error
