"""Which classes the groups of a pack have images of, as one sparse table.

A split puts whole groups into folds; all it has to know of a group is how many images of which
classes it holds. Groups are numbered in a drawn order, so that whoever takes them by number takes
them at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fastload.native.library import permutation

__all__ = ["TRAINING_ONLY", "GroupTable", "Numbers", "group_table", "runs", "sole_groups"]

Numbers = npt.NDArray[np.int64]

# The fold of what is in every training part and in no validation part.
TRAINING_ONLY = -1


@dataclass(frozen=True)
class GroupTable:
    """The groups of a pack; an entry is one class in one group.

    Attributes:
        of_record: int64, shape (N,): the group of each record, 0 to G - 1.
        sizes: int64, shape (G,): images of each group.
        group, label, count: int64, shape (E,): the entries, sorted by group, then by label: so many
            images of this class are in this group.
        images: int64, shape (C,): images of each class.
    """

    of_record: Numbers
    sizes: Numbers
    group: Numbers
    label: Numbers
    count: Numbers
    images: Numbers

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.images)

    @cached_property
    def starts(self) -> Numbers:
        """int64, shape (G + 1,): entries ``starts[g]`` to ``starts[g + 1] - 1`` are group g's."""
        return np.searchsorted(self.group, np.arange(len(self) + 1))

    @cached_property
    def mixed(self) -> npt.NDArray[np.bool_]:
        """bool, shape (G,): the groups that have images of several classes."""
        return np.diff(self.starts) > 1

    def groups_of_classes(self, chosen: npt.NDArray[np.bool_]) -> Numbers:
        """How many of the chosen groups (bool, shape (G,)) each class is in: int64, shape (C,)."""
        return np.bincount(self.label[chosen[self.group]], minlength=self.classes)


def group_table(labels: Numbers, groups: Numbers, classes: int, seed: int) -> GroupTable:
    """Count the images of each class in each group.

    Args:
        labels: int64, shape (N,): class of each record.
        groups: int64, shape (N,): equal for the records of one group.
        classes: how many classes there are.
        seed: 64 bits; fixes the order in which groups are numbered.

    >>> table = group_table(np.array([0, 1, 0, 1]), np.array([7, 7, 3, 9]), classes=2, seed=0)
    >>> sorted(table.sizes.tolist()), table.images.tolist(), int(table.mixed.sum())
    ([1, 1, 2], [2, 2], 1)
    """
    _, firsts, found = np.unique(groups, return_index=True, return_inverse=True)
    # By their first records, so that it makes no difference by what numbers groups are told apart.
    ranks = np.empty(len(firsts), np.int64)
    ranks[np.argsort(firsts)] = permutation(seed, 0, len(firsts))
    of_record = ranks[found]
    entries, count = np.unique(of_record * classes + labels, return_counts=True)
    return GroupTable(
        of_record=of_record,
        sizes=np.bincount(of_record, minlength=len(firsts)),
        group=entries // classes,
        label=entries % classes,
        count=count,
        images=np.bincount(labels, minlength=classes),
    )


def sole_groups(table: GroupTable) -> npt.NDArray[np.bool_]:
    """bool, shape (G,): the groups that hold all images of some class."""
    of_classes = table.groups_of_classes(np.ones(len(table), np.bool_))
    sole = np.zeros(len(table), np.bool_)
    sole[table.group[of_classes[table.label] == 1]] = True
    return sole


@dataclass(frozen=True)
class Run:
    """Groups of the same number of images of one and the same class.

    Attributes:
        label: their class.
        size: images of each.
        groups: int64, shape (k,): their numbers, ascending.
    """

    label: int
    size: int
    groups: Numbers


def runs(table: GroupTable, chosen: npt.NDArray[np.bool_]) -> list[Run]:
    """The chosen groups that are of a single class, the largest first, by class where equal.

    Args:
        table: the groups.
        chosen: bool, shape (G,).
    """
    entries = np.flatnonzero((chosen & ~table.mixed)[table.group])
    entries = entries[np.lexsort((table.label[entries], -table.count[entries]))]
    label, size = table.label[entries], table.count[entries]
    ends = np.flatnonzero((np.diff(label) != 0) | (np.diff(size) != 0)) + 1
    return [
        Run(int(table.label[run[0]]), int(table.count[run[0]]), table.group[run])
        for run in np.split(entries, ends)
        if len(run)
    ]
