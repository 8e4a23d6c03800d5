"""Groups of images divided into a validation and a training part of a given share.

Groups are gone through from the largest to the smallest, each class being owed its share of the
images gone through so far. So the validation part has large and small groups as they come, not the
largest alone. What is owed is counted in images times the share's denominator, in whole numbers:
no rounding decides.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from fastload.sample.even_folds import keep_for_training
from fastload.sample.group_table import TRAINING_ONLY, GroupTable, Numbers, Run, runs, sole_groups
from fastload.sample.spreading import spread

__all__ = ["even_holdout"]

_VALIDATION, _TRAINING = 0, 1


def even_holdout(table: GroupTable, share: Fraction) -> npt.NDArray[np.int16]:
    """0 for the groups of the validation part, ``TRAINING_ONLY`` for the others: int16, shape (G,).

    Of a class with two groups or more, each part gets one at least; a class with one group is for
    training only.

    Args:
        table: the groups.
        share: of the images that are to validate; above 0, below 1.

    >>> from fastload.sample.group_table import group_table
    >>> table = group_table(np.array([0] * 10 + [1] * 3), np.arange(13), classes=2, seed=0)
    >>> fold_of = even_holdout(table, Fraction(1, 5))
    >>> np.bincount(table.label[fold_of == 0]).tolist()
    [2, 1]
    """
    return _Dividing(table, share).parts()


class _Dividing:
    """The state between groups: what each class is owed, in images times the denominator."""

    def __init__(self, table: GroupTable, share: Fraction) -> None:
        self._table = table
        self._seen, self._taken = share.numerator, share.denominator
        self._part_of = np.full(len(table), _TRAINING, np.int16)
        self._sole = sole_groups(table)

    def parts(self) -> npt.NDArray[np.int16]:
        mixed, pure = ~self._sole & self._table.mixed, ~self._sole & ~self._table.mixed
        if mixed.any():
            self._divide_mixed(mixed)
            alone = self._table.groups_of_classes(pure)
            wanted = np.minimum(2, self._table.groups_of_classes(~self._sole)) - alone
            spread(self._table, mixed, self._part_of, 2, wanted)
        self._divide_pure(pure)
        fold_of = np.where(self._part_of == _VALIDATION, _VALIDATION, TRAINING_ONLY)
        fold_of = fold_of.astype(np.int16)
        keep_for_training(self._table, fold_of)
        return fold_of

    def _divide_mixed(self, mixed: npt.NDArray[np.bool_]) -> None:
        table = self._table
        owed = self._owed(self._sole)
        weights = 1 / np.maximum(1, table.images).astype(np.float64) ** 2
        groups = np.flatnonzero(mixed)
        for group in groups[np.argsort(-table.sizes[groups], kind="stable")].tolist():
            first, last = table.starts[group : group + 2]
            labels, counts = table.label[first:last], table.count[first:last]
            owed[labels] += self._seen * counts
            given = self._taken * counts
            # Whether what is owed gets smaller, as the sum of squares of shares of the classes.
            if (weights[labels] * given * (given - 2 * owed[labels])).sum() < 0:
                owed[labels] -= given
                self._part_of[group] = _VALIDATION

    def _divide_pure(self, pure: npt.NDArray[np.bool_]) -> None:
        table = self._table
        owed = self._owed(~pure)
        in_all = int(owed.sum())
        held = np.zeros((2, table.classes), np.int64)
        entries = np.flatnonzero(~pure[table.group])
        np.add.at(held, (self._part_of[table.group[entries]], table.label[entries]), 1)
        left = table.groups_of_classes(pure)
        for run in runs(table, pure):
            label, seen = run.label, self._seen * run.size * len(run.groups)
            owed[label] += seen
            in_all += seen
            left[label] -= len(run.groups)
            number = self._number(run, int(owed[label]), in_all)
            if not left[label]:
                number = _within(number, len(run.groups), held[:, label])
            self._part_of[run.groups[:number]] = _VALIDATION
            held[:, label] += (number, len(run.groups) - number)
            owed[label] -= self._taken * run.size * number
            in_all -= self._taken * run.size * number

    def _number(self, run: Run, owed: int, in_all: int) -> int:
        """How many groups of a run validate: what is owed, rounded as all classes together need."""
        one = self._taken * run.size
        number = owed // one
        if owed % one and 2 * (in_all - number * one) > one:
            number += 1
        return min(max(number, 0), len(run.groups))

    def _owed(self, gone_through: npt.NDArray[np.bool_]) -> Numbers:
        table = self._table
        chosen = gone_through[table.group]
        validating = (self._part_of == _VALIDATION)[table.group]
        owed = chosen * table.count * (self._seen - self._taken * validating)
        sums = np.zeros(table.classes, np.int64)
        np.add.at(sums, table.label, owed)
        return sums


def _within(number: int, count: int, held: Numbers) -> int:
    """Of the last groups of a class, one at least for a part that has none of it yet."""
    least = 0 if held[_VALIDATION] else 1
    most = count if held[_TRAINING] else count - 1
    return min(max(number, least), most)
