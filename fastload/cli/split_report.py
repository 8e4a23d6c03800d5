"""A split in a table and in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastload.cli.telling import tell
from fastload.sample.group_table import group_table
from fastload.sample.grouping import NEAR_DUPLICATES, NONE
from fastload.words import name_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastload.sample.grouping import Grouping
    from fastload.store import Split

__all__ = ["print_report"]

# Rows of the table, and classes named in a sentence, that fit a screen.
_CLASSES_SHOWN = 20
_NAMED = 10
# Columns of folds that fit a terminal beside the names of classes.
_FOLDS_SHOWN = 10


def print_report(split: Split, grouping: Grouping, *, all_classes: bool) -> None:
    """Print how many images of each class each fold has, and what is out of the ordinary.

    Args:
        split: what was made.
        grouping: what was kept together.
        all_classes: whether the table has all classes, however many, or the rarest.
    """
    report = _Report(split, grouping)
    Console().print(report.table(None if all_classes else _CLASSES_SHOWN))
    for sentence in report.sentences():
        tell(sentence)


class _Report:
    """What there is to say of a split, from its counts."""

    def __init__(self, split: Split, grouping: Grouping) -> None:
        self._pack = pack = split.pack
        self._split = split
        self._grouping = grouping
        labels = pack.index.label.astype(np.int64)
        self._table = group_table(labels, grouping.of_record, len(pack.classes), split.seed)
        # The last column has what is for training only.
        columns = split.folds + 1
        cells = labels * columns + split.fold_of % columns
        counts = np.bincount(cells, minlength=len(pack.classes) * columns)
        self._counts = counts.reshape(-1, columns)
        # A hold-out's is what is not in its validation part.
        self._training_only = int(self._counts[:, -1].sum()) if split.val is None else 0
        self._groups = self._table.groups_of_classes(np.ones(len(self._table), np.bool_))

    def sentences(self) -> list[str]:
        sentences = (
            self._kept_together(),
            self._fewer_groups(),
            self._never_validated(),
            self._in_no_fold(),
            self._across_classes(),
        )
        return [sentence for sentence in sentences if sentence]

    def _named(self, labels: NDArray[np.int64], describe: Callable[[int], str]) -> str:
        """Some classes, the rarest first, each with what there is to say of it."""
        rarest = labels[np.argsort(self._table.images[labels], kind="stable")].tolist()
        words = [
            f"{name_words(self._pack.classes[label])} ({describe(label)})"
            for label in rarest[:_NAMED]
        ]
        more = len(rarest) - _NAMED
        return "; ".join([*words, f"{more:,} more"] if more > 0 else words)

    def table(self, shown: int | None) -> Table:
        table = Table("class")
        for head in ("images", *self._heads()):
            table.add_column(head, justify="right")
        order = np.argsort(-self._table.images, kind="stable")
        # The rarest are those where something may be amiss.
        rarest = order if shown is None else order[-shown:]
        rest = order[: len(order) - len(rarest)]
        if len(rest):
            words = f"{len(rest):,} larger (--all-classes)"
            table.add_row(words, *self._cells(self._counts[rest].sum(axis=0)))
        for label in rarest.tolist():
            name = Text(name_words(self._pack.classes[label]))
            table.add_row(name, *self._cells(self._counts[label]))
        table.add_section()
        table.add_row("all", *self._cells(self._counts.sum(axis=0)))
        return table

    def _heads(self) -> list[str]:
        if self._split.val is not None:
            folds = ["validation"]
        elif self._split.folds <= _FOLDS_SHOWN:
            folds = [f"fold {fold}" for fold in range(self._split.folds)]
        else:
            folds = ["smallest fold", "largest fold"]
        return [*folds, "training only"] if self._training_only else folds

    def _cells(self, counts: NDArray[np.int64]) -> list[str]:
        folds = counts[:-1]
        if len(folds) > _FOLDS_SHOWN:
            folds = np.array([folds.min(), folds.max()])
        only = [counts[-1]] if self._training_only else []
        return [f"{count:,}" for count in (counts.sum(), *folds, *only)]

    def _kept_together(self) -> str:
        if self._grouping.rule == NONE:
            return (
                "No images were kept together: where some are copies of others, the validation "
                "flatters the model."
            )
        sizes = self._table.sizes
        several = int((sizes > 1).sum())
        if not several:
            return f"Groups ({self._grouping.rule}): none has more than one image."
        largest = int(sizes.argmax())
        record = int(np.flatnonzero(self._table.of_record == largest)[0])
        return (
            f"Groups ({self._grouping.rule}): {several:,} of several images, "
            f"{int(sizes[sizes > 1].sum()):,} images in all, each kept together; the largest has "
            f"{int(sizes[largest]):,} ({name_words(self._pack.index.path(record))} is one)."
        )

    def _validated(self) -> NDArray[np.int64]:
        """In how many folds each class is."""
        folds: NDArray[np.int64] = (self._counts[:, :-1] > 0).sum(axis=1)
        return folds

    def _fewer_groups(self) -> str:
        validated = self._validated()
        few = np.flatnonzero((validated > 0) & (self._groups < self._split.folds))
        if not len(few):
            return ""
        named = self._named(
            few,
            lambda label: (
                f"{_number(int(self._table.images[label]), 'image')} in "
                f"{_number(int(self._groups[label]), 'group')}, validated in "
                f"{_folds_words(np.flatnonzero(self._counts[label, :-1]).tolist())}"
            ),
        )
        return (
            f"Classes with fewer images or groups than folds, {len(few):,} in all: each is in "
            f"every training part, and validated in no more folds than it has groups: {named}."
        )

    def _never_validated(self) -> str:
        never = np.flatnonzero((self._validated() == 0) & (self._table.images > 0))
        if not len(never):
            return ""
        named = self._named(never, lambda label: _number(int(self._table.images[label]), "image"))
        return (
            f"Classes that are trained and never validated, {len(never):,} in all, since their "
            f"images cannot be on both sides without being alike: {named}."
        )

    def _in_no_fold(self) -> str:
        if not self._training_only:
            return ""
        images = _number(self._training_only, "image")
        return f"In no fold, so that no class is missing in training: {images}."

    def _across_classes(self) -> str:
        across = int(self._table.mixed.sum())
        if not across or self._grouping.rule != NEAR_DUPLICATES:
            return ""
        return (
            f"Warning: {_number(across, 'group')} of near-duplicates with images of several "
            "classes: some labels are likely wrong. `fastload duplicates "
            f"{name_words(str(self._pack.root))}` shows them."
        )


def _number(count: int, noun: str) -> str:
    """A number of things.

    >>> _number(1, "image"), _number(2000, "image")
    ('1 image', '2,000 images')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _folds_words(folds: list[int]) -> str:
    """Some folds.

    >>> _folds_words([3]), _folds_words([0, 2, 4])
    ('fold 3', 'folds 0, 2 and 4')
    """
    *first, last = map(str, folds)
    return f"folds {', '.join(first)} and {last}" if first else f"fold {last}"
