"""Rows of the tables of scores, as both pages have them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train_ref.metrics import GROUP_BOUNDS, Scores
from train_ref.report.words import METRICS

__all__ = ["ClassRow", "GroupRow", "Tile", "class_rows", "group_rows", "tiles_of"]


@dataclass(frozen=True)
class Tile:
    """A headline metric.

    Attributes:
        label: its name.
        value: from 0 to 1.
        floor: what a constant answer reaches at best.
        chosen: whether the best epoch was chosen by it.
    """

    label: str
    value: float
    floor: float
    chosen: bool


@dataclass(frozen=True)
class ClassRow:
    """A class's scores; nan where it has no validation images or is never answered.

    Attributes:
        name: of the class.
        training, validation: its images.
        precision, recall, f1: from 0 to 1.
        taken_for: the class that it is mistaken for most often, and how often.
    """

    name: str
    training: int
    validation: int
    precision: float
    recall: float
    f1: float
    taken_for: str


@dataclass(frozen=True)
class GroupRow:
    """The classes of some size.

    Attributes:
        title: what size.
        classes: how many there are.
        images: their validation images.
        accuracy: mean of the classes' recalls.
        macro_f1: mean of the classes' F1.
    """

    title: str
    classes: int
    images: int
    accuracy: float
    macro_f1: float


def tiles_of(scores: Scores, chosen: str) -> list[Tile]:
    """The headline metrics, each next to its floor."""
    return [
        Tile(label, scores.value(name), scores.floors[name], name == chosen)
        for name, label in METRICS.items()
    ]


def class_rows(
    scores: Scores, names: tuple[str, ...], counts: npt.NDArray[np.int64]
) -> list[ClassRow]:
    """One row a class, the largest first."""
    confusion, validation = scores.confusion, scores.support
    answered = confusion.sum(axis=0)
    rows = []
    for one in np.argsort(-counts, kind="stable").tolist():
        there = validation[one] > 0
        rows.append(
            ClassRow(
                name=names[one],
                training=int(counts[one]),
                validation=int(validation[one]),
                precision=float(scores.precision[one]) if answered[one] else np.nan,
                recall=float(scores.recall[one]) if there else np.nan,
                f1=float(scores.f1[one]) if there else np.nan,
                taken_for=_taken_for(confusion[one], one, names),
            )
        )
    return rows


def _taken_for(row: npt.NDArray[np.int64], own: int, names: tuple[str, ...]) -> str:
    wrong = row.copy()
    wrong[own] = 0
    most = int(wrong.argmax())
    return f"{names[most]}, {wrong[most]}×" if wrong[most] else ""


def group_rows(scores: Scores) -> list[GroupRow]:
    """Classes by how many training images they have, those with many first."""
    few, many = GROUP_BOUNDS
    titles = {
        "many": f"many, above {many}",
        "medium": f"medium, {few} to {many}",
        "few": f"few, below {few}",
    }
    return [
        GroupRow(titles[name], one.classes, one.images, one.accuracy, one.macro_f1)
        for name, one in scores.groups.items()
    ]
