"""Moving groups of several classes, so that each class comes into as many parts as it can.

What places such groups weighs all of their classes against one another; a class of few groups may
then have two of them in one part and none in another.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastload.sample.group_table import GroupTable, Numbers

__all__ = ["spread"]


def spread(
    table: GroupTable,
    placed: npt.NDArray[np.bool_],
    part_of: npt.NDArray[np.int16],
    parts: int,
    wanted: Numbers,
) -> None:
    """Move groups while that brings a class into a part more, of those it is wanted in.

    Each move lowers the number of (class, part) pairs that are missing, so it ends; where classes
    stand in one another's way, some stay missing.

    Args:
        table: the groups.
        placed: bool, shape (G,): the groups that have a part and may be moved.
        part_of: int16, shape (G,): the part of each group, 0 to ``parts - 1``; changed in place.
        parts: how many parts there are.
        wanted: int64, shape (C,): in how many parts each class is wanted.
    """
    spreading = _Spreading(table, placed, part_of, parts, wanted)
    while any(spreading.bring(label) for label in spreading.missing_classes()):
        pass


class _Spreading:
    """The state between moves: of each class, how many groups each part holds."""

    def __init__(
        self,
        table: GroupTable,
        placed: npt.NDArray[np.bool_],
        part_of: npt.NDArray[np.int16],
        parts: int,
        wanted: Numbers,
    ) -> None:
        self._table = table
        self._part_of = part_of
        self._wanted = wanted
        self._entries = np.flatnonzero(placed[table.group])
        self._held = np.zeros((parts, table.classes), np.int64)
        groups, labels = table.group[self._entries], table.label[self._entries]
        np.add.at(self._held, (part_of[groups], labels), 1)
        groups = np.flatnonzero(placed)
        self._images = np.bincount(part_of[groups], table.sizes[groups], parts)

    def _missing(self, labels: Numbers) -> Numbers:
        parts = np.count_nonzero(self._held[:, labels], axis=0)
        missing: Numbers = np.maximum(0, self._wanted[labels] - parts)
        return missing

    def missing_classes(self) -> list[int]:
        labels = np.arange(self._table.classes)
        return np.flatnonzero(self._missing(labels)).tolist()

    def bring(self, label: int) -> bool:
        """Move the smallest group that helps, if there is one."""
        groups = self._table.group[self._entries[self._table.label[self._entries] == label]]
        for group in groups[np.argsort(self._table.sizes[groups], kind="stable")].tolist():
            home = int(self._part_of[group])
            if self._held[home, label] > 1 and self._move(group, label, home):
                return True
        return False

    def _move(self, group: int, label: int, home: int) -> bool:
        first, last = self._table.starts[group : group + 2]
        labels = self._table.label[first:last]
        before = int(self._missing(labels).sum())
        self._held[home, labels] -= 1
        outcomes = []
        for part in np.flatnonzero(self._held[:, label] == 0).tolist():
            self._held[part, labels] += 1
            outcomes.append((int(self._missing(labels).sum()), float(self._images[part]), part))
            self._held[part, labels] -= 1
        after, _, best = min(outcomes, default=(before, 0.0, home))
        moved = after < before
        part = best if moved else home
        self._held[part, labels] += 1
        self._images[home] -= self._table.sizes[group]
        self._images[part] += self._table.sizes[group]
        self._part_of[group] = part
        return moved
