"""Groups of samples that show the same, and how each comes from the first one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastload.duplicates import (
    Group,
    exact_duplicate_groups,
    groups_listed,
    near_duplicate_groups,
    relations,
)
from fastload.errors import PackError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastload.dataset import ImageFolder
    from fastload.store import Pack

__all__ = ["Copies", "SameGroup", "copies_of"]


@dataclass(frozen=True)
class SameGroup:
    """Some samples of a group.

    Attributes:
        samples: numbers of those that are shown.
        relations: how each comes from the first one, in words.
        size: how many the group has.
        classes: how many classes they are in.
    """

    samples: list[int]
    relations: tuple[str, ...]
    size: int
    classes: int


@dataclass(frozen=True)
class Copies:
    """What was found.

    Attributes:
        shown: the first groups: those that span classes first, then the larger ones first.
        groups, images, spanning: how many groups there are, images in them, and groups that span
            classes.
        fault: why only equal bytes were looked for; empty where all was.
    """

    shown: list[SameGroup]
    groups: int
    images: int
    spanning: int
    fault: str


def copies_of(
    dataset: ImageFolder,
    *,
    most_groups: int,
    most_of_group: int,
    workers: int,
    progress: Callable[[int, int], None] | None = None,
) -> Copies:
    """Look for samples that show the same.

    Args:
        dataset: the samples; of a part of a split, copies within the part are found.
        most_groups: groups to show.
        most_of_group: samples of each to show.
        workers: threads.
        progress: called now and then with how many records are decoded, and of how many.

    Raises:
        PackError: a shard is missing, so that no bytes can be compared.
    """
    pack = dataset.pack
    same_bytes = exact_duplicate_groups(pack)
    fault = ""
    try:
        grouped = near_duplicate_groups(pack, workers=workers, progress=progress)
    except PackError as error:
        # One damaged image is no reason not to show all the others.
        grouped, fault = same_bytes, str(error)
    sample_of = np.full(len(pack), -1, np.int64)
    sample_of[dataset.records(np.arange(len(dataset)))] = np.arange(len(dataset))
    listed = groups_listed(_of_part(grouped, sample_of), pack.index.label)
    return Copies(
        [
            _shown(pack, group, most_of_group, sample_of, same_bytes)
            for group in listed[:most_groups]
        ],
        len(listed),
        sum(map(len, listed)),
        sum(group.spans_classes for group in listed),
        fault,
    )


def _of_part(grouped: NDArray[np.int64], sample_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups, where records that are no samples have groups of their own."""
    outside = np.flatnonzero(sample_of < 0)
    if not len(outside):
        return grouped
    apart = grouped.copy()
    apart[outside] = len(grouped) + outside
    return apart


def _shown(
    pack: Pack,
    group: Group,
    most: int,
    sample_of: NDArray[np.int64],
    same_bytes: NDArray[np.int64],
) -> SameGroup:
    records = group.records[:most]
    return SameGroup(
        samples=sample_of[list(records)].tolist(),
        relations=relations(pack, records, same_bytes),
        size=len(group),
        classes=len(set(group.labels)),
    )
