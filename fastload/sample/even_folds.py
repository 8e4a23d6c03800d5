"""Groups of images dealt into folds, each class as evenly as its groups allow.

1. A group that holds all images of some class is for training only: were it validated, the model
   would be asked for a class that it has never seen.
2. Groups of several classes are placed by scikit-learn's ``StratifiedGroupKFold``, then moved where
   a class has two groups in one fold and none in another.
3. Groups of one class: the largest that is left goes to the fold that has the fewest images of the
   class, of equal folds to the one with the fewest in all. For such groups ``StratifiedGroupKFold``
   has the same rule; equal groups are dealt at once here, a million in a second, not in minutes.
4. A class whose groups have come into one fold, because groups of several classes left no other
   way, keeps the smallest of them for training only.
"""

from __future__ import annotations

import warnings
from bisect import bisect_right

import numpy as np
import numpy.typing as npt

from fastload.errors import FastloadError
from fastload.sample.group_table import TRAINING_ONLY, GroupTable, runs, sole_groups
from fastload.sample.spreading import spread

__all__ = ["deal", "even_folds", "keep_for_training"]


def even_folds(table: GroupTable, folds: int) -> npt.NDArray[np.int16]:
    """The fold of each group: int16, shape (G,); ``TRAINING_ONLY`` for those in none.

    Args:
        table: the groups.
        folds: how many folds there are, at least 2.

    Raises:
        FastloadError: groups have images of several classes, and scikit-learn is not installed.

    >>> from fastload.sample.group_table import group_table
    >>> table = group_table(np.array([0, 0, 0, 0, 1, 1]), np.arange(6), classes=2, seed=0)
    >>> np.bincount(even_folds(table, 2)).tolist()
    [3, 3]
    """
    fold_of = np.full(len(table), TRAINING_ONLY, np.int16)
    dealt = ~sole_groups(table)
    mixed, pure = dealt & table.mixed, dealt & ~table.mixed
    if mixed.any():
        _place_mixed(table, mixed, fold_of, folds)
        alone = table.groups_of_classes(pure)
        wanted = np.minimum(folds, table.groups_of_classes(dealt)) - alone
        spread(table, mixed, fold_of, folds, wanted)
    _deal_pure(table, pure, fold_of, folds)
    keep_for_training(table, fold_of)
    return fold_of


def _place_mixed(
    table: GroupTable, mixed: npt.NDArray[np.bool_], fold_of: npt.NDArray[np.int16], folds: int
) -> None:
    entries = np.flatnonzero(mixed[table.group])
    labels = np.repeat(table.label[entries], table.count[entries])
    groups = np.repeat(table.group[entries], table.count[entries])
    # scikit-learn refuses fewer groups than folds: one image a fold of a class of its own, which
    # changes nothing for the others.
    labels = np.append(labels, np.full(folds, table.classes))
    groups = np.append(groups, len(table) + np.arange(folds))
    splitter = _stratified_group_k_fold()(folds)
    with warnings.catch_warnings():
        # Classes with fewer images than folds are told of in fastload's own words.
        warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
        for fold, (_, held_out) in enumerate(splitter.split(labels, labels, groups)):
            placed = groups[held_out]
            fold_of[placed[placed < len(table)]] = fold


def _stratified_group_k_fold() -> type:
    try:
        from sklearn.model_selection import StratifiedGroupKFold
    except ImportError as error:
        raise FastloadError(
            "Some groups have images of several classes; scikit-learn divides them, and it is not "
            f"installed ({error}). Run `pip install scikit-learn`."
        ) from error
    return StratifiedGroupKFold  # type: ignore[no-any-return]


def _deal_pure(
    table: GroupTable, pure: npt.NDArray[np.bool_], fold_of: npt.NDArray[np.int16], folds: int
) -> None:
    levels = np.zeros((table.classes, folds), np.int64)
    entries = np.flatnonzero((fold_of != TRAINING_ONLY)[table.group])
    place = (table.label[entries], fold_of[table.group[entries]])
    np.add.at(levels, place, table.count[entries])
    totals = levels.sum(axis=0)
    for run in runs(table, pure):
        shares = deal(levels[run.label].tolist(), totals.tolist(), run.size, len(run.groups))
        fold_of[run.groups] = np.repeat(np.arange(folds), shares)
        levels[run.label] += run.size * np.array(shares)
        totals += run.size * np.array(shares)


def deal(levels: list[int], totals: list[int], size: int, count: int) -> list[int]:
    """Deal equal groups of one class, each to the fold that is then the emptiest.

    Args:
        levels: images of the class in each fold so far.
        totals: images of all classes in each fold so far; decides between equal levels.
        size: images of one group.
        count: how many groups there are.

    Returns:
        How many of them each fold gets.

    >>> deal([4, 0, 0], totals=[9, 9, 5], size=1, count=5)
    [0, 2, 3]
    """

    def dealt_below(level: int) -> int:
        return sum(max(0, -((had - level) // size)) for had in levels)

    lowest = min(levels)
    # The highest level that all folds can be filled to; those that stand there take the rest.
    heights = range(lowest, lowest + size * count + 2)
    level = heights[bisect_right(heights, count, key=dealt_below) - 1]
    shares = [max(0, -((had - level) // size)) for had in levels]
    reached = [
        (total + size * share, fold)
        for fold, (had, total, share) in enumerate(zip(levels, totals, shares, strict=True))
        if had + size * share == level
    ]
    for _, fold in sorted(reached)[: count - sum(shares)]:
        shares[fold] += 1
    return shares


def keep_for_training(table: GroupTable, fold_of: npt.NDArray[np.int16]) -> None:
    """Let no class have all of its groups in one fold: the smallest becomes ``TRAINING_ONLY``.

    Args:
        table: the groups.
        fold_of: int16, shape (G,): the fold of each group; changed in place.
    """
    folds = fold_of[table.group]
    lowest = np.full(table.classes, np.iinfo(np.int16).max, np.int16)
    highest = np.full(table.classes, TRAINING_ONLY, np.int16)
    np.minimum.at(lowest, table.label, folds)
    np.maximum.at(highest, table.label, folds)
    for label in np.flatnonzero((lowest == highest) & (highest != TRAINING_ONLY)).tolist():
        groups = table.group[table.label == label]
        fold_of[groups[np.argmin(table.sizes[groups])]] = TRAINING_ONLY
