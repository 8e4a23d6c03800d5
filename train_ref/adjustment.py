"""Post-hoc logit adjustment: a trained model is moved towards rare classes, or away from them.

Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021: answer with the largest of
z_k - tau * log(share_k). With tau 0 nothing changes; 1 takes the frequency of the training images
out of a calibrated model; what is best for a metric is found on validation images.

It is found exactly. Each adjusted logit is a straight line over tau, so an image's answer is the
upper envelope of its lines: it changes at few values of tau, each time to a rarer class. Between
two such values of any image no answer changes and no metric does, so that one value from each
interval is all that there is to try.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train_ref.errors import TrainError
from train_ref.metrics import (
    EQUAL,
    GROUP_BOUNDS,
    Scores,
    checked_answers,
    checked_counts,
    checked_labels,
    metric_terms,
    score,
)
from train_ref.prior import log_prior

__all__ = ["TAU_RANGE", "Adjustment", "adjusted", "choose_tau", "cross_fitted"]

TAU_RANGE = (-1.0, 3.0)
"""Where tau is looked for. Below 0 it helps models that were trained on balanced epochs."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Of an interval of tau: in a narrower one, rounding could change an answer.
_NARROWEST = 1e-9
# Numbers that the search has in memory at a time, some times over.
_CHUNK = 1 << 21


@dataclass(frozen=True, eq=False)
class Adjustment:
    """A tau and what it is good for.

    Attributes:
        tau: what was chosen.
        before: scores with tau 0.
        after: scores with `tau`, of the very images that it was chosen by: they flatter it, see
            :func:`cross_fitted`.
    """

    tau: float
    before: Scores
    after: Scores


def adjusted(logits: npt.ArrayLike, counts: npt.ArrayLike, tau: float) -> Floats:
    """Subtract tau * log(share of the class) from logits.

    Args:
        logits: shape (n, c). Logarithms of probabilities will do, probabilities will not.
        counts: training images of each class, shape (c,); one without any is treated as the
            smallest that has some.
        tau: 0 for the logits as they are.

    Returns:
        float64, shape (n, c): in float32, logits that tau brings close could become equal.

    Raises:
        TrainError: shapes do not match, or no class has images.

    Example:
        >>> adjusted([[2.0, 1.0]], counts=[90, 10], tau=1.0).round(2).tolist()
        [[2.11, 3.3]]
    """
    table = checked_answers(logits)
    trained = checked_counts(counts, table.shape[1])
    return table.astype(np.float64) - tau * log_prior(trained)


def choose_tau(
    logits: npt.ArrayLike,
    labels: npt.ArrayLike,
    counts: npt.ArrayLike,
    metric: str,
    groups: tuple[int, int] = GROUP_BOUNDS,
) -> Adjustment:
    """Find the tau of `TAU_RANGE` that makes a metric largest; of equals, the nearest to 0.

    Never worse than tau 0 on these images.

    Args:
        logits: of validation images, shape (n, c).
        labels: integers, shape (n,), in 0 to c - 1.
        counts: training images of each class, shape (c,).
        metric: one of `METRICS`.
        groups: as that of :func:`train_ref.metrics.score`.

    Raises:
        TrainError: as `score`; a logit is not finite; there is no such metric.

    Example:
        >>> logits = [[2.0, 0.0], [2.0, 0.0], [1.0, 0.5], [1.0, 0.5]]
        >>> found = choose_tau(logits, [0, 0, 1, 1], [90, 10], "macro_f1")
        >>> round(found.tau, 3), found.before.accuracy, found.after.accuracy
        (0.569, 0.5, 1.0)
    """
    table = checked_answers(logits).astype(np.float64)
    truth = checked_labels(labels, table.shape)
    trained = checked_counts(counts, table.shape[1])
    before = score(table, truth, trained, groups)
    if not np.isfinite(table).all():
        raise TrainError(
            "Some logits are infinite, and no adjustment moves those. Give logits, not logarithms "
            "of probabilities that are 0."
        )
    edges, values = _intervals(table, truth, trained, metric)
    wide = np.diff(edges) > _NARROWEST
    middles, values = ((edges[1:] + edges[:-1]) / 2)[wide], values[wide]
    as_good = middles[values >= values.max() - EQUAL]
    tau = float(as_good[np.abs(as_good).argmin()])
    after = score(adjusted(table, trained, tau), truth, trained, groups)
    if after.value(metric) > before.value(metric) + EQUAL:
        return Adjustment(tau, before, after)
    return Adjustment(0.0, before, before)


def cross_fitted(
    logits: npt.ArrayLike,
    labels: npt.ArrayLike,
    counts: npt.ArrayLike,
    metric: str,
    parts: int = 5,
    seed: int = 0,
    groups: tuple[int, int] = GROUP_BOUNDS,
) -> Scores:
    """Score an adjustment honestly: each part's answers by the tau that is best for the others.

    A tau that is chosen and scored on the same images has seen their labels. Here no image's label
    has a say in its own answer (Stone, Cross-Validatory Choice and Assessment of Statistical
    Predictions, 1974). What results is an estimate for a tau chosen on `parts - 1` of `parts`
    of the images.

    Args:
        logits: of validation images, shape (n, c).
        labels: integers, shape (n,), in 0 to c - 1.
        counts: training images of each class, shape (c,).
        metric: one of `METRICS`.
        parts: at least 2; each class is spread over them evenly.
        seed: of who is in which part.
        groups: as that of :func:`train_ref.metrics.score`.

    Returns:
        The scores of all images' answers together.

    Raises:
        TrainError: as :func:`choose_tau`; fewer than 2 parts, or fewer images than 2.
    """
    table = checked_answers(logits)
    truth = checked_labels(labels, table.shape)
    if min(parts, len(truth)) < 2:
        raise TrainError(
            f"{len(truth)} images in {parts} parts: an adjustment is tried on other images than "
            "it was chosen on, which takes 2 of each."
        )
    answers = np.empty(table.shape)
    part = spread_parts(truth, parts, seed)
    for inside in (part == number for number in np.unique(part)):
        tau = choose_tau(table[~inside], truth[~inside], counts, metric, groups).tau
        answers[inside] = adjusted(table[inside], counts, tau)
    return score(answers, truth, counts, groups)


def spread_parts(labels: Integers, parts: int, seed: int) -> Integers:
    """Deal images to parts at random, so that each class and the whole are spread evenly.

    Returns:
        int64, shape (n,), in 0 to `parts` - 1: sizes of the parts, and of each class's shares of
        them, differ by one at most.

    >>> spread_parts(np.array([0, 0, 1, 0, 0, 1]), parts=2, seed=0).tolist().count(1)
    3
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    # Class by class, as cards are dealt, going on where the class before ended.
    dealt = shuffled[np.argsort(labels[shuffled], kind="stable")]
    part = np.empty(len(labels), np.int64)
    part[dealt] = np.arange(len(labels)) % parts
    return part


@dataclass(frozen=True)
class _Changes:
    """Answers that change as tau grows.

    Attributes:
        taus: float64, shape (e,).
        images: int64, shape (e,).
        olds: the answer below each tau, int64, shape (e,).
        news: the answer above it, int64, shape (e,).
    """

    taus: Floats
    images: Integers
    olds: Integers
    news: Integers

    def sorted(self) -> _Changes:
        """The same, by tau. Those of one image stay in their order."""
        order = np.argsort(self.taus, kind="stable")
        return _Changes(self.taus[order], self.images[order], self.olds[order], self.news[order])


def _intervals(
    logits: Floats, labels: Integers, counts: Integers, metric: str
) -> tuple[Floats, Floats]:
    """Cut `TAU_RANGE` where answers change.

    Returns:
        Edges, shape (k + 1,), and the metric between each two, shape (k,).
    """
    low, high = TAU_RANGE
    first, changes = _envelopes(logits, -log_prior(counts))
    values = _metric_after(first, changes, labels, len(counts), metric)
    return np.concatenate([[low], changes.taus, [high]]), values


def _envelopes(logits: Floats, slopes: Floats) -> tuple[Integers, _Changes]:
    """Follow each image's answer from the lowest to the highest tau.

    Args:
        logits: shape (n, c).
        slopes: of the adjusted logits over tau, shape (c,).

    Returns:
        The answers at the lowest tau, shape (n,), and all changes, by tau.
    """
    rows = max(1, _CHUNK // len(slopes))
    first, found = [], []
    for start in range(0, len(logits), rows):
        steps, intercepts, classes = _by_slope(logits[start : start + rows], slopes)
        current = (intercepts + TAU_RANGE[0] * steps).argmax(axis=1)
        first.append(np.take_along_axis(classes, current[:, None], axis=1)[:, 0])
        for change in _walk(steps, intercepts, classes, current):
            found.append((change.taus, change.images + start, change.olds, change.news))
    taus, images, olds, news = (np.concatenate(column) for column in zip(*found, strict=True))
    return np.concatenate(first), _Changes(taus, images, olds, news).sorted()


def _by_slope(logits: Floats, slopes: Floats) -> tuple[Floats, Floats, Integers]:
    """Of classes with the same slope only the largest logit can win, the first of equals.

    Returns:
        Rising slopes, shape (d,), the largest logit of each, and its class, both shape (n, d).
    """
    steps, place = np.unique(slopes, return_inverse=True)
    intercepts = np.empty((len(logits), len(steps)))
    classes = np.empty((len(logits), len(steps)), np.int64)
    for column in range(len(steps)):
        members = np.flatnonzero(place == column)
        winner = logits[:, members].argmax(axis=1)
        classes[:, column] = members[winner]
        intercepts[:, column] = np.take_along_axis(logits, classes[:, column, None], axis=1)[:, 0]
    return steps, intercepts, classes


def _walk(
    steps: Floats, intercepts: Floats, classes: Integers, current: npt.NDArray[np.intp]
) -> Iterator[_Changes]:
    """All images' first change, then their second, and so on until none has another."""
    images = np.arange(len(current))
    while True:
        lines = intercepts[images]
        behind = np.take_along_axis(lines, current[:, None], axis=1) - lines
        steeper = steps - steps[current][:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            crossings = np.where(steeper > 0, behind / steeper, np.inf)
        # Of lines that cross at one point, the steepest is on top behind it.
        winner = len(steps) - 1 - crossings[:, ::-1].argmin(axis=1)
        taus = np.take_along_axis(crossings, winner[:, None], axis=1)[:, 0]
        on = taus < TAU_RANGE[1]
        images, before, current, taus = images[on], current[on], winner[on], taus[on]
        # Rounding can put a crossing a hair before the lowest tau.
        taus = np.maximum(taus, TAU_RANGE[0])
        yield _Changes(taus, images, classes[images, before], classes[images, current])
        if not len(images):
            return


def _metric_after(
    first: Integers, changes: _Changes, labels: Integers, classes: int, metric: str
) -> Floats:
    """Return a metric before the first change and after each, shape (e + 1,).

    A change touches the terms of two classes. For each class, its hits and answers after each of
    its own changes are running sums; what its terms then differ by is put back in order of tau,
    and summed up there.
    """
    support = np.bincount(labels, minlength=classes)
    answered = np.bincount(first, minlength=classes)
    hits = np.bincount(labels[first == labels], minlength=classes)
    touched = np.concatenate([changes.olds, changes.news])
    place = np.tile(np.arange(len(changes.taus)), 2)
    order = np.lexsort((place, touched))
    touched, place = touched[order], place[order]
    gained = np.repeat([-1, 1], len(changes.taus))[order]
    gained_hits = gained * (touched == labels[changes.images[place]])
    answered_then = _running(answered, gained, touched)
    hits_then = _running(hits, gained_hits, touched)
    now = metric_terms(metric, hits_then, answered_then, support[touched])
    until_then = metric_terms(
        metric, hits_then - gained_hits, answered_then - gained, support[touched]
    )
    above, below = (
        np.cumsum(np.concatenate([[begun.sum()], np.bincount(place, new - old)]))
        for begun, old, new in zip(
            metric_terms(metric, hits, answered, support), until_then, now, strict=True
        )
    )
    return np.asarray(above / below)


def _running(starts: Integers, changes: Integers, classes: Integers) -> Integers:
    """Running sums of each class's changes, on top of its start; rows are sorted by class."""
    totals = np.cumsum(changes)
    begins = np.searchsorted(classes, classes)
    sums: Integers = starts[classes] + totals - (totals - changes)[begins]
    return sums
