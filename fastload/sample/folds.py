"""``folds`` and ``holdout``: a pack divided for validation, its groups kept whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from fastload.errors import FastloadError
from fastload.sample.even_folds import even_folds
from fastload.sample.even_holdout import even_holdout
from fastload.sample.group_table import GroupTable, group_table
from fastload.sample.grouping import NEAR_DUPLICATES, Grouping, grouping_of
from fastload.store import Pack, Split, open_pack

__all__ = ["folds", "holdout"]

_LARGEST_SEED = 2**64 - 1
# Folds are numbered in 16 bits, and nobody trains this often.
_MOST_FOLDS = 1000

Group = str | Grouping | npt.ArrayLike


def folds(
    pack: Pack | str | os.PathLike[str],
    folds: int = 5,
    *,
    group: Group = NEAR_DUPLICATES,
    seed: int = 0,
) -> Split:
    """Divide a pack into folds for cross-validation.

    No group is divided. Each class is spread over the folds as evenly as its groups allow, and is
    in every training part. A class of fewer groups than folds is validated in as many folds as it
    has groups; one that is a single group is only trained.

    Args:
        pack: a pack, or its folder.
        folds: how many, from 2 on.
        group: what is kept together: ``"near-duplicates"``, ``"none"``, ``"FILE.csv:COLUMN"``,
            ``"path:PATTERN"`` (see ``docs/folds.md``), or integers, shape (N,), equal for the
            records of one group.
        seed: 0 to 2**64 - 1; the same seed gives the same folds.

    Raises:
        ValueError: an argument is out of range.
        FastloadError: some images have no group, or there are fewer groups than folds.

    >>> import fastload
    >>> split = fastload.folds("data/train.pack", folds=5)  # doctest: +SKIP
    >>> split.save()  # doctest: +SKIP
    PosixPath('data/train.pack/splits/folds5.arrow')
    """
    number = _integer("folds", folds, 2, _MOST_FOLDS)

    def dealt(table: GroupTable) -> npt.NDArray[np.int16]:
        return even_folds(table, number)

    return _split(pack, group, seed, number, None, dealt)


def holdout(
    pack: Pack | str | os.PathLike[str],
    val: float = 0.2,
    *,
    group: Group = NEAR_DUPLICATES,
    seed: int = 0,
) -> Split:
    """Hold a share of a pack out for validation.

    As :func:`folds`, with one validation part: of each class with two groups or more it has its
    share, and one group at least.

    Args:
        pack: a pack, or its folder.
        val: share of the images, above 0 and below 1.
        group: as that of :func:`folds`.
        seed: as that of :func:`folds`.

    Raises:
        ValueError: an argument is out of range.
        FastloadError: some images have no group, or no class has two groups.

    >>> import fastload
    >>> split = fastload.holdout("data/train.pack", val=0.2)  # doctest: +SKIP
    """
    try:
        # In decimal digits, as it was written: 0.2 is a fifth.
        share = Fraction(str(val))
    except ValueError:
        share = Fraction(0)
    if not 0 < share < 1:
        raise ValueError(f"val is {val!r}: it takes a share above 0 and below 1, such as 0.2.")

    def dealt(table: GroupTable) -> npt.NDArray[np.int16]:
        return even_holdout(table, share)

    return _split(pack, group, seed, 1, share, dealt)


def _split(
    pack: Pack | str | os.PathLike[str],
    group: Group,
    seed: int,
    folds: int,
    share: Fraction | None,
    dealt: Callable[[GroupTable], npt.NDArray[np.int16]],
) -> Split:
    seed = _integer("seed", seed, 0, _LARGEST_SEED)
    opened = pack if isinstance(pack, Pack) else open_pack(pack)
    if opened.manifest.unlabelled:
        raise FastloadError(
            f"{opened.root} was packed without classes (--unlabelled): folds are for training, and "
            "need labels."
        )
    grouping = _grouping(opened, group)
    labels = opened.index.label.astype(np.int64)
    table = group_table(labels, grouping.of_record, len(opened.classes), seed)
    if len(table) < max(2, folds):
        raise FastloadError(
            f"{opened.root}: the rule {grouping.rule} makes fewer groups of its {len(opened)} "
            f"images ({len(table)}) than there are parts ({max(2, folds)}). Take fewer folds, or "
            "other groups."
        )
    fold_of = dealt(table)[table.of_record]
    if not (fold_of >= 0).any():
        raise FastloadError(
            f"{opened.root}: the rule {grouping.rule} makes one group of each class, so that "
            "nothing can be validated without training on its like. Take other groups."
        )
    return Split(
        pack=opened,
        fold_of=fold_of,
        folds=folds,
        val=None if share is None else float(share),
        seed=seed,
        group=grouping.rule,
    )


def _integer(name: str, value: Any, least: int, most: int) -> int:
    if not isinstance(value, SupportsIndex) or not least <= int(value) <= most:
        raise ValueError(f"{name} is {value!r}: it takes an integer, {least} to {most}.")
    return int(value)


def _grouping(pack: Pack, group: Group) -> Grouping:
    if isinstance(group, Grouping):
        return group
    if isinstance(group, str):
        return grouping_of(pack, group)
    given = np.asarray(group)
    if given.shape != (len(pack),) or not np.issubdtype(given.dtype, np.integer):
        raise ValueError(
            f"group is an array of {given.dtype} and shape {given.shape}: it takes integers, one "
            f"for each of the {len(pack)} records."
        )
    return Grouping("given", given.astype(np.int64))
