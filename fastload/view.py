"""What a loader sees of its dataset: packs, and parts and unions of packs.

``Subset`` (and so ``random_split``) and ``ConcatDataset`` only renumber samples. A view follows the
renumbering for a whole batch at once, so that they keep the speed of the pack below.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
from torch.utils.data import ConcatDataset, Subset

from fastload.dataset import ImageFolder
from fastload.sample import ClassLists

__all__ = ["Located", "View", "view_of"]

Indices = npt.NDArray[np.int64]

# So much of a hash tells any two apart that are not meant to be alike.
_DIGITS = 16


@dataclass(frozen=True)
class Located:
    """Where some samples are.

    Attributes:
        parts: int64, shape (n,): number of the dataset in ``View.parts``.
        records: int64, shape (n,): record id in that dataset's pack.
        labels: int64, shape (n,): class of each, -1 where it has none.
    """

    parts: Indices
    records: Indices
    labels: Indices


class View(ABC):
    """Samples of one or more packs under their own numbering.

    Attributes:
        parts: the datasets below, each once for each place it appears in.
    """

    parts: tuple[ImageFolder, ...]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def locate(self, indices: Indices) -> Located:
        """Find samples by their numbers, each from 0 to ``len(self) - 1``."""

    def class_lists(self) -> ClassLists:
        """The samples of each class."""
        return ClassLists.of_labels(self.locate(np.arange(len(self))).labels)

    @abstractmethod
    def identity(self) -> str:
        """Which samples of which packs they are, wherever the packs lie."""


class _Folder(View):
    def __init__(self, dataset: ImageFolder) -> None:
        self.parts = (dataset,)

    def __len__(self) -> int:
        return len(self.parts[0])

    def locate(self, indices: Indices) -> Located:
        dataset = self.parts[0]
        records = dataset.records(indices)
        return Located(np.zeros(len(records), np.int64), records, dataset.pack.targets(records))

    def class_lists(self) -> ClassLists:
        # Known without looking at a single record.
        return ClassLists.of_counts(self.parts[0].class_counts)

    def identity(self) -> str:
        pack = self.parts[0].pack
        words = f"pack {pack.manifest.index.sha256[:_DIGITS]}"
        # Two folds have as many samples and classes: nothing else tells them apart.
        return words if len(self) == len(pack) else f"{len(self)} samples {self._digest} of {words}"

    @cached_property
    def _digest(self) -> str:
        return _digest(self.parts[0].records(np.arange(len(self))))


class _Part(View):
    def __init__(self, whole: View, indices: Any) -> None:
        self._whole = whole
        self._indices = checked_indices(np.asarray(indices, np.int64), len(whole))
        self.parts = whole.parts

    def __len__(self) -> int:
        return len(self._indices)

    def locate(self, indices: Indices) -> Located:
        return self._whole.locate(self._indices[indices])

    def identity(self) -> str:
        return f"{len(self)} samples {self._digest} of {self._whole.identity()}"

    @cached_property
    def _digest(self) -> str:
        return _digest(self._indices)


class _Union(View):
    def __init__(self, views: list[View]) -> None:
        self._views = views
        self._ends = np.cumsum([len(view) for view in views])
        self._first_parts = np.cumsum([0] + [len(view.parts) for view in views])
        self.parts = tuple(part for view in views for part in view.parts)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def locate(self, indices: Indices) -> Located:
        members = np.searchsorted(self._ends, indices, side="right")
        parts, records, labels = (np.empty(len(indices), np.int64) for _ in range(3))
        for member in np.unique(members):
            rows = np.flatnonzero(members == member)
            view = self._views[member]
            found = view.locate(indices[rows] - (self._ends[member] - len(view)))
            parts[rows] = found.parts + self._first_parts[member]
            records[rows] = found.records
            labels[rows] = found.labels
        return Located(parts, records, labels)

    def identity(self) -> str:
        return " + ".join(f"({view.identity()})" for view in self._views)


def _digest(numbers: Indices) -> str:
    return sha256(np.ascontiguousarray(numbers).data).hexdigest()[:_DIGITS]


def checked_indices(indices: Indices, length: int) -> Indices:
    """Indices as lists take them (negative ones count from the end), all 0 to ``length - 1``.

    Raises:
        IndexError: one lies outside.
    """
    if not len(indices):
        return indices
    if int(indices.min()) < 0:
        indices = np.where(indices < 0, indices + length, indices)
    if int(indices.min()) < 0 or int(indices.max()) >= length:
        wrong = indices[(indices < 0) | (indices >= length)][0]
        raise IndexError(
            f"Index {wrong} is outside a dataset of {length} samples: "
            "check the sampler or the indices of the Subset."
        )
    return indices


def view_of(dataset: Any) -> View | None:
    """The view of a dataset that is made of packs alone, else None.

    Subclasses that change how samples are made are not taken: their own code has to run.
    """
    if isinstance(dataset, ImageFolder):
        return _Folder(dataset) if _keeps_items(dataset, ImageFolder) else None
    if isinstance(dataset, Subset) and _keeps_items(dataset, Subset):
        whole = view_of(dataset.dataset)
        return None if whole is None else _Part(whole, dataset.indices)
    if isinstance(dataset, ConcatDataset) and _keeps_items(dataset, ConcatDataset):
        views = [view_of(member) for member in dataset.datasets]
        taken = [view for view in views if view is not None]
        return _Union(taken) if len(taken) == len(views) else None
    return None


def _keeps_items(dataset: Any, base: type) -> bool:
    return all(
        getattr(type(dataset), name, None) is getattr(base, name, None)
        for name in ("__getitem__", "__getitems__", "__len__")
    )
