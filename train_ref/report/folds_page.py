"""The page of several runs: what cross-validation has come to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

import fastload
from train_ref.errors import TrainError
from train_ref.metrics import Scores, score
from train_ref.report.confusion import matrix_of, most_mixed_up
from train_ref.report.curves import folds_curve, size_against_f1
from train_ref.report.read_run import Answers, Run
from train_ref.report.remarks import Remark
from train_ref.report.render import render
from train_ref.report.shared_images import shared_images
from train_ref.report.tables import group_rows
from train_ref.report.words import METRICS
from train_ref.run_folder import write_whole

__all__ = ["write_folds"]

_PAGE = "folds.html"
# In which the runs of one cross-validation are others.
_OWN = ("fold", "name", "out")


@dataclass(frozen=True)
class Spread:
    """A metric over the runs.

    Attributes:
        label: its name.
        mean: of the runs.
        spread: their standard deviation, of n - 1; nan for one run.
        floor: mean of what constant answers reach.
        each: its value in each run.
        chosen: whether the best epochs were chosen by it.
    """

    label: str
    mean: float
    spread: float
    floor: float
    each: list[float]
    chosen: bool


@dataclass(frozen=True)
class RunRow:
    """A run in the list."""

    name: str
    link: str
    fold: int | None
    images: int
    scores: list[float]


@dataclass(frozen=True)
class FoldsClassRow:
    """A class over all runs.

    Attributes:
        name: of the class.
        images: that were validated, in all runs together.
        precision, recall, f1: of all answers together.
        mean, spread: of the F1 of the runs that have validated it; nan where that says nothing.
        runs: how many these are.
    """

    name: str
    images: int
    precision: float
    recall: float
    f1: float
    mean: float
    spread: float
    runs: int


def write_folds(runs: Sequence[Run]) -> Path:
    """Write the page of several runs of the same classes, beside the first one's folder.

    Args:
        runs: two or more, with validation images; their reports are linked to.

    Returns:
        The page.

    Raises:
        TrainError: they are not of the same classes, or one of them has validated nothing.
    """
    answers = _answers(runs)
    first = runs[0]
    pooled = _pooled(runs, answers)
    page = first.folder.path.resolve().parent / _PAGE
    classes = _class_rows(first.classes, pooled, [one.scores for one in answers])
    context = {
        "title": _title(runs),
        "subtitle": _subtitle(runs),
        "sections": [("runs", "Runs"), ("classes", "Classes"), ("confusion", "Confusion")],
        "tiles": _spreads(answers, first.config.metric),
        "remarks": _remarks(runs, answers),
        "metrics": METRICS,
        "runs": [_run_row(run, one, page.parent) for run, one in zip(runs, answers, strict=True)],
        "curve": folds_curve(runs, first.config.metric),
        "images": int(pooled.support.sum()),
        "classes": classes,
        "groups": group_rows(pooled),
        "size_picture": size_against_f1(first.counts, pooled.f1, pooled.support),
        "matrix": matrix_of(pooled.confusion, first.classes, pooled.support),
        "mixups": most_mixed_up(pooled.confusion, first.classes),
    }
    write_whole(page, render("folds.html", **context))
    return page


def _answers(runs: Sequence[Run]) -> list[Answers]:
    found = []
    for run in runs:
        if run.classes != runs[0].classes:
            raise TrainError(
                f"{run.folder.path} and {runs[0].folder.path} have other classes: a summary is of "
                "runs with the same ones."
            )
        if run.answers is None:
            raise TrainError(
                f"{run.folder.path} has validated nothing: a summary is of runs with a val.npz."
            )
        found.append(run.answers)
    return found


def _pooled(runs: Sequence[Run], answers: Sequence[Answers]) -> Scores:
    """Score all answers together: of folds, every image has one."""
    # Every row of probabilities is an answer as good as its logits are.
    together = np.concatenate([one.probabilities for one in answers])
    labels = np.concatenate([one.labels for one in answers])
    return score(together, labels, runs[0].counts)


def _spreads(answers: Sequence[Answers], chosen: str) -> list[Spread]:
    spreads = []
    for name, label in METRICS.items():
        each = np.array([one.scores.value(name) for one in answers])
        floor = float(np.mean([one.scores.floors[name] for one in answers]))
        mean, spread = _mean_and_spread(each)
        spreads.append(Spread(label, mean, spread, floor, each.tolist(), name == chosen))
    return spreads


def _mean_and_spread(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    if not len(values):
        return float("nan"), float("nan")
    spread = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
    return float(values.mean()), spread


def _class_rows(
    names: tuple[str, ...], pooled: Scores, scores: Sequence[Scores]
) -> list[FoldsClassRow]:
    images, answered = pooled.support, pooled.confusion.sum(axis=0)
    rows = []
    for one in np.argsort(-images, kind="stable").tolist():
        each = [run.f1[one] for run in scores if run.support[one]]
        mean, spread = _mean_and_spread(np.array(each, np.float64))
        there = images[one] > 0
        rows.append(
            FoldsClassRow(
                name=names[one],
                images=int(images[one]),
                precision=float(pooled.precision[one]) if answered[one] else np.nan,
                recall=float(pooled.recall[one]) if there else np.nan,
                f1=float(pooled.f1[one]) if there else np.nan,
                mean=mean,
                spread=spread,
                runs=len(each),
            )
        )
    return rows


def _run_row(run: Run, answers: Answers, beside: Path) -> RunRow:
    link = os.path.relpath(run.folder.report.resolve(), beside)
    return RunRow(
        name=run.folder.path.resolve().name,
        link=quote(link),
        fold=run.facts.get("fold"),
        images=len(answers.labels),
        scores=[answers.scores.value(name) for name in METRICS],
    )


def _title(runs: Sequence[Run]) -> str:
    folds = [run.facts.get("fold") for run in runs]
    kind = "runs" if None in folds else "folds"
    return f"{len(runs)} {kind}: {runs[0].facts.get('model') or runs[0].config.model}"


def _subtitle(runs: Sequence[Run]) -> list[str]:
    first = runs[0]
    data = Path(str(first.facts.get("data") or first.config.data)).name
    beside = first.folder.path.resolve().parent.name
    return [
        beside,
        data,
        f"{len(first.classes):,} classes",
        f"split {first.facts.get('split') or '–'}",
    ]


def _remarks(runs: Sequence[Run], answers: Sequence[Answers]) -> list[Remark]:
    found = [_other_settings(runs), _shared(runs), _twice(runs, answers), _missing_folds(runs)]
    unfinished = [run.name for run in runs if not run.final]
    if unfinished:
        found.append(Remark(f"{len(unfinished)} runs are not finished", ", ".join(unfinished)))
    return [one for one in found if one is not None]


def _other_settings(runs: Sequence[Run]) -> Remark | None:
    settings = [asdict(run.config) for run in runs]
    other = [
        name
        for name in settings[0]
        if name not in _OWN and any(one[name] != settings[0][name] for one in settings)
    ]
    if not other:
        return None
    return Remark(
        "The runs have different settings",
        f"They differ in {', '.join(other)}: their mean is that of no one recipe.",
        heavy=True,
    )


def _shared(runs: Sequence[Run]) -> Remark | None:
    """Where it cannot be known, the runs' own pages say so."""
    with contextlib.suppress(fastload.FastloadError, OSError, KeyError, ValueError):
        found = [shared_images(run) for run in runs]
        number = sum(len(one.validation) for one in found if one is not None)
        if number:
            return Remark(
                f"{number:,} validation images look like training images of their run",
                "The scores may be too good. `fastload split` keeps near-duplicates on one side; "
                "the runs' own pages show some.",
                heavy=True,
            )
    return None


def _twice(runs: Sequence[Run], answers: Sequence[Answers]) -> Remark | None:
    """Folds of one split validate each image once."""
    packs = {str(run.facts.get("val_data") or run.facts.get("data")) for run in runs}
    records = np.concatenate([one.records for one in answers])
    if len(packs) > 1 or len(np.unique(records)) == len(records):
        return None
    return Remark(
        "Images are validated by several of the runs",
        "They count several times below. The folds of one split validate each image once.",
    )


def _missing_folds(runs: Sequence[Run]) -> Remark | None:
    folds = runs[0].config.folds
    there = {run.facts.get("fold") for run in runs}
    if not folds or None in there:
        return None
    missing = sorted(set(range(folds)) - there)
    if not missing:
        return None
    return Remark(
        f"{len(missing)} of {folds} folds are missing", f"Fold {', '.join(map(str, missing))}."
    )
