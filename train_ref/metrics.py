"""How good answers are, and what an answer that never looks at the image would reach.

All metrics are scikit-learn's with its defaults: macro F1 is the mean over the classes that are
among labels or answers, balanced accuracy that over the classes among labels, and what would be
divided by 0 is 0. Weighted F1 and accuracy count images, the other two count classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train_ref.config import CHOICES
from train_ref.errors import TrainError

__all__ = ["EQUAL", "GROUP_BOUNDS", "METRICS", "GroupScores", "Scores", "metric_terms", "score"]

METRICS = CHOICES["metric"]
"""Names of the headline metrics, each an attribute of :class:`Scores`."""

GROUP_BOUNDS = (20, 100)
"""Few-shot classes have fewer training images than the first, many-shot ones more than the second.

Those of Liu et al., Large-Scale Long-Tailed Recognition in an Open World, CVPR 2019.
"""

EQUAL = 1e-9
"""Metrics nearer to one another are equal: sums in another order round differently."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GroupScores:
    """Scores of the classes that have about as many training images.

    Attributes:
        classes: how many of them are among the labels.
        images: that are of these classes.
        accuracy: mean of the classes' recalls, as Liu et al. (CVPR 2019) have it; where classes
            have equally many images, the share of them that is right.
        macro_f1: mean of F1 over the group's classes that are among labels or answers.
    """

    classes: int
    images: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, eq=False)
class Scores:
    """What answers are worth, all in 0 to 1.

    Attributes:
        weighted_f1: mean of the classes' F1, weighted by their images.
        macro_f1: mean of the classes' F1.
        balanced_accuracy: mean of the classes' recalls (Brodersen et al., The Balanced Accuracy
            and Its Posterior Distribution, ICPR 2010).
        accuracy: share of the images that is right.
        precision: float64, shape (c,): of what was answered so, the share that is right.
        recall: float64, shape (c,): of each class's images, the share that is right.
        f1: float64, shape (c,): harmonic mean of both.
        support: int64, shape (c,): images of each class.
        confusion: int64, shape (c, c): images by class (row) and answer (column).
        groups: by "many", "medium" and "few"; one without images is not there.
        floors: by metric, the best that any constant answer reaches.
    """

    weighted_f1: float
    macro_f1: float
    balanced_accuracy: float
    accuracy: float
    precision: Floats
    recall: Floats
    f1: Floats
    support: Integers
    confusion: Integers
    groups: dict[str, GroupScores]
    floors: dict[str, float]

    def value(self, metric: str) -> float:
        """Return a headline metric by its name.

        Raises:
            TrainError: there is none of that name.
        """
        number: float = getattr(self, _checked_metric(metric))
        return number

    def headline(self) -> dict[str, float]:
        """Return plain numbers for JSON: metrics, `floor_` of each, accuracy of each group."""
        metrics = {metric: self.value(metric) for metric in METRICS}
        floors = {f"floor_{metric}": self.floors[metric] for metric in METRICS}
        return metrics | floors | {name: group.accuracy for name, group in self.groups.items()}


def score(
    answers: npt.ArrayLike,
    labels: npt.ArrayLike,
    counts: npt.ArrayLike,
    groups: tuple[int, int] = GROUP_BOUNDS,
) -> Scores:
    """Score answers against labels. The answer is the largest of a row; of equals, the first.

    Args:
        answers: logits or probabilities, shape (n, c), n at least 1.
        labels: integers, shape (n,), in 0 to c - 1.
        counts: training images of each class, shape (c,); what the groups are made by.
        groups: below the first a class is few-shot, above the second many-shot.

    Raises:
        TrainError: an image has no label, an answer is no number, or shapes do not match.

    Example:
        >>> found = score([[9, 1], [8, 2], [6, 4], [3, 7]], [0, 0, 1, 1], counts=[300, 15])
        >>> found.confusion.tolist()
        [[2, 0], [1, 1]]
        >>> found.accuracy, round(found.macro_f1, 3), found.floors["accuracy"]
        (0.75, 0.733, 0.5)
        >>> found.groups["few"].accuracy
        0.5
    """
    table = checked_answers(answers)
    truth = checked_labels(labels, table.shape)
    trained = checked_counts(counts, table.shape[1])
    if np.isnan(table).any():
        image = int(np.isnan(table).any(axis=1).argmax())
        raise TrainError(
            f"The answers for image {image} are no numbers (NaN): training has diverged. Lower "
            "--lr, or set --clip-norm 1."
        )
    return _scores(_confusion(table.argmax(axis=1), truth, len(trained)), trained, groups)


def metric_terms(
    metric: str, hits: npt.NDArray[np.generic], answered: Integers, support: Integers
) -> tuple[Floats, Floats]:
    """Take a metric apart into one numerator and one denominator a class.

    The metric is the sum of the numerators by the sum of the denominators. Each class's pair
    depends on that class alone, so that a change of few answers changes few terms.

    Args:
        metric: one of `METRICS`.
        hits: images of each class that are answered right, any shape.
        answered: images that are answered so.
        support: images of the class.

    Raises:
        TrainError: there is no such metric.

    Example:
        >>> hits, answered, support = np.array([2, 1]), np.array([3, 1]), np.array([2, 2])
        >>> above, below = metric_terms("macro_f1", hits, answered, support)
        >>> round(float(above.sum() / below.sum()), 3)
        0.733
    """
    _checked_metric(metric)
    if metric == "accuracy":
        return hits.astype(np.float64), support.astype(np.float64)
    if metric == "balanced_accuracy":
        return _ratio(hits, support), (support > 0).astype(np.float64)
    f1 = _ratio(2 * hits, answered + support)
    if metric == "weighted_f1":
        return support * f1, support.astype(np.float64)
    return f1, (answered + support > 0).astype(np.float64)


def checked_answers(answers: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """Answers as floats, shape (n, c), with one image and one class at least."""
    table = np.asarray(answers)
    if not np.issubdtype(table.dtype, np.floating):
        table = table.astype(np.float64)
    if table.ndim != 2 or not table.size:
        raise TrainError(
            f"Answers have shape {table.shape}; a score needs (images, classes), with one image "
            "at least."
        )
    return table


def checked_labels(labels: npt.ArrayLike, shape: tuple[int, ...]) -> Integers:
    """Labels as int64, shape (n,), each one of the c classes of answers of shape (n, c)."""
    truth = np.asarray(labels)
    if truth.shape != shape[:1] or not np.issubdtype(truth.dtype, np.integer):
        raise TrainError(
            f"Labels are {truth.dtype} of shape {truth.shape}; for answers of shape {shape} they "
            f"are integers of shape {shape[:1]}."
        )
    wrong = (truth < 0) | (truth >= shape[1])
    if wrong.any():
        image = int(wrong.argmax())
        raise TrainError(
            f"Image {image} has the label {truth[image]}, which is none of the {shape[1]} "
            "classes (-1 says that it is not known): only images with labels can be scored. Use "
            "predict for the others."
        )
    return truth.astype(np.int64)


def checked_counts(counts: npt.ArrayLike, classes: int) -> Integers:
    """Training images of each class as int64, shape (c,)."""
    trained = np.asarray(counts)
    if trained.shape != (classes,):
        raise TrainError(
            f"There are training images of {trained.size} classes and answers for {classes}: "
            "they are of different data."
        )
    return trained.astype(np.int64)


def _checked_metric(metric: str) -> str:
    if metric not in METRICS:
        raise TrainError(f"There is no metric {metric!r}; there are {', '.join(METRICS)}.")
    return metric


def _confusion(answered: npt.NDArray[np.intp], labels: Integers, classes: int) -> Integers:
    cells = np.bincount(labels * classes + answered, minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)


def _scores(confusion: Integers, counts: Integers, bounds: tuple[int, int]) -> Scores:
    hits, answered, support = confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)
    recall, f1 = _ratio(hits, support), _ratio(2 * hits, answered + support)
    return Scores(
        **{metric: _value(metric, hits, answered, support) for metric in METRICS},
        precision=_ratio(hits, answered),
        recall=recall,
        f1=f1,
        support=support,
        confusion=confusion,
        groups=_group_scores(recall, f1, answered, support, _members(counts, bounds)),
        floors=_floors(support),
    )


def _value(metric: str, hits: Integers, answered: Integers, support: Integers) -> float:
    above, below = metric_terms(metric, hits, answered, support)
    return float(above.sum() / below.sum())


def _ratio(above: npt.NDArray[np.generic], below: npt.NDArray[np.generic]) -> Floats:
    """Quotients, 0 where there is nothing to divide by."""
    return np.asarray(above / np.maximum(below, 1), np.float64)


def _floors(support: Integers) -> dict[str, float]:
    """What always answering the largest class reaches: no class does better by any metric.

    For macro F1 and balanced accuracy the number of classes that is divided by is the same
    whichever class is answered, and all four grow with the images of that class.
    """
    hits, answered = np.zeros_like(support), np.zeros_like(support)
    largest = support.argmax()
    hits[largest], answered[largest] = support[largest], support.sum()
    return {metric: _value(metric, hits, answered, support) for metric in METRICS}


def _members(counts: Integers, bounds: tuple[int, int]) -> dict[str, npt.NDArray[np.bool_]]:
    few, many = counts < bounds[0], counts > bounds[1]
    return {"many": many, "medium": ~few & ~many, "few": few}


def _group_scores(
    recall: Floats,
    f1: Floats,
    answered: Integers,
    support: Integers,
    members: dict[str, npt.NDArray[np.bool_]],
) -> dict[str, GroupScores]:
    return {
        name: GroupScores(
            classes=int(np.count_nonzero(inside & (support > 0))),
            images=int(support[inside].sum()),
            accuracy=float(recall[inside & (support > 0)].mean()),
            macro_f1=float(f1[inside & (answered + support > 0)].mean()),
        )
        for name, inside in members.items()
        if support[inside].any()
    }
