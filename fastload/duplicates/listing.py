"""Groups in the order in which they are worth looking at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Group", "groups_listed"]


@dataclass(frozen=True)
class Group:
    """Two or more records that are duplicates of one another.

    Attributes:
        records: their ids, ascending.
        labels: the label of each.
    """

    records: tuple[int, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.records)

    @property
    def spans_classes(self) -> bool:
        """Whether they have more than one label: then at least one of them is wrong."""
        return len(set(self.labels)) > 1


def groups_listed(groups: NDArray[np.int64], labels: NDArray[np.uint32]) -> list[Group]:
    """The groups of two or more: those that span classes first, then the larger ones first.

    Args:
        groups: (N,) the group of each record.
        labels: (N,) the label of each record.

    >>> found = groups_listed(np.array([0, 0, 0, 3, 4, 3]), np.array([7, 7, 7, 1, 1, 2]))
    >>> [group.records for group in found]
    [(3, 5), (0, 1, 2)]
    """
    order = np.argsort(groups, kind="stable")
    borders = np.flatnonzero(np.diff(groups[order])) + 1
    members = (run for run in np.split(order, borders) if len(run) > 1)
    listed = [Group(tuple(run.tolist()), tuple(labels[run].tolist())) for run in members]
    return sorted(listed, key=lambda group: (not group.spans_classes, -len(group)))
