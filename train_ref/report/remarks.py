"""What somebody who looks at the figures of a run has to know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train_ref.metrics import score
from train_ref.report.calibration import Calibration
from train_ref.report.read_run import Answers, Run
from train_ref.report.shared_images import Shared
from train_ref.report.words import METRICS, percent, short

__all__ = ["Remark", "remarks_on", "remarks_on_shared"]

# Fewer validation images of a class than these: one image more or less moves its recall by a fifth.
_FEW = 5
# Share of the time above which a loader is worth a look.
_WAITING = 0.05
# As much as the networks of Guo et al. (2017), which that paper was written about.
_MISCALIBRATED = 0.1
_NAMED = 6


@dataclass(frozen=True)
class Remark:
    """A sentence on top of the page.

    Attributes:
        head: what is so.
        text: why it matters, and what to do.
        heavy: whether the figures below are not what they seem.
    """

    head: str
    text: str
    heavy: bool = False


def remarks_on(run: Run, calibration: Calibration | None) -> list[Remark]:
    """What is to be known of a run, the heavy ones first."""
    found: list[Remark | None] = [_unfinished(run)]
    answers = run.answers
    if answers is not None:
        found += [
            _no_better_than_a_constant(run, answers),
            _never_answered(run, answers),
            _hardly_validated(run, answers),
            _tau(run, answers),
        ]
    if calibration is not None:
        found.append(_calibration(calibration))
    found.append(_waiting(run))
    return sorted((one for one in found if one), key=lambda one: not one.heavy)


def remarks_on_shared(shared: Shared, images: int) -> Remark | None:
    """Whether the model was validated with what it was trained with.

    Args:
        shared: what is on both sides.
        images: validation images in all.
    """
    number = len(shared.validation)
    if not number:
        return None
    return Remark(
        f"{number:,} of {images:,} validation images look like training images",
        "A model that has learnt these by heart is right about them, so that all scores here may "
        "be too good. `fastload split` keeps near-duplicates on one side, "
        "`fastload duplicates --page` shows them.",
        heavy=True,
    )


def _unfinished(run: Run) -> Remark | None:
    if run.final:
        return None
    return Remark(
        f"Not finished: {len(run.epochs)} of {run.config.epochs} epochs",
        f"python -m train_ref fit --resume {run.folder.path} goes on with it.",
    )


def _no_better_than_a_constant(run: Run, answers: Answers) -> Remark | None:
    value = answers.scores.value(run.config.metric)
    floor = answers.scores.floors[run.config.metric]
    if value > floor:
        return None
    return Remark(
        f"{METRICS[run.config.metric]} is no better than that of a constant answer",
        f"It is {short(value)}; whoever gives every image the same class reaches {short(floor)}.",
        heavy=True,
    )


def _never_answered(run: Run, answers: Answers) -> Remark | None:
    confusion = answers.scores.confusion
    never = np.flatnonzero((confusion.sum(axis=0) == 0) & (answers.scores.support > 0))
    if not len(never):
        return None
    return Remark(
        f"{len(never)} of {len(run.classes)} classes are never answered",
        f"{_named(run, never)}. See docs/imbalance.md for what helps rare classes.",
    )


def _hardly_validated(run: Run, answers: Answers) -> Remark | None:
    few = np.flatnonzero(answers.scores.support < _FEW)
    if not len(few):
        return None
    return Remark(
        f"{len(few)} of {len(run.classes)} classes have fewer than {_FEW} validation images",
        f"{_named(run, few)}. Their scores are luck for a good part, and macro F1 and balanced "
        "accuracy with them; --folds 5 validates every image once.",
    )


def _named(run: Run, classes: npt.NDArray[np.int64]) -> str:
    names = ", ".join(run.classes[one] for one in classes[:_NAMED].tolist())
    more = len(classes) - _NAMED
    return f"{names} and {more} more" if more > 0 else names


def _tau(run: Run, answers: Answers) -> Remark | None:
    metric, labels = run.config.metric, answers.labels
    if not run.tau:
        return None
    before = score(answers.logits, labels, run.counts).value(metric)
    honest = (run.final.get("scores_cross_fitted") or {}).get(metric)
    words = (
        f"{METRICS[metric]} is {short(answers.scores.value(metric))} with it and {short(before)} "
        "without. Tau was chosen on these very images, which flatters it"
    )
    words += f": chosen and tried on different ones, it comes to {short(honest)}" if honest else ""
    return Remark(f"Logits are adjusted by the classes' sizes, tau = {run.tau:.2f}", f"{words}.")


def _calibration(found: Calibration) -> Remark | None:
    if found.error <= _MISCALIBRATED:
        return None
    how = "surer of its answers than it may be" if found.bias > 0 else "less sure than it may be"
    return Remark(
        f"The model is {how}",
        f"Its expected calibration error is {short(found.error)}: do not take its probabilities "
        "for the share of right answers.",
    )


def _waiting(run: Run) -> Remark | None:
    waits = [one["data_wait"] for one in run.epochs if one.get("data_wait") is not None]
    if not waits or np.mean(waits) <= _WAITING:
        return None
    return Remark(
        f"{percent(float(np.mean(waits)))} of the time went into waiting for data",
        "More --workers, a larger --cache or --decode fast make the loader faster; see "
        "docs/loading.md.",
    )
