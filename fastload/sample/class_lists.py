"""Which samples belong to which class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["MOST_SAMPLES", "ClassLists"]

MOST_SAMPLES = 2**32
"""Fewer than these can be told apart."""


@dataclass(frozen=True)
class ClassLists:
    """The samples of each class.

    Attributes:
        starts: uint64, shape (classes + 1,): class c has the elements ``starts[c]`` up to
            ``starts[c + 1]`` of the members.
        members: uint32, the samples, class after class; None where they are 0, 1, 2, ...
    """

    starts: npt.NDArray[np.uint64]
    members: npt.NDArray[np.uint32] | None

    @classmethod
    def of_counts(cls, counts: npt.ArrayLike) -> ClassLists:
        """Of samples that are sorted by class.

        >>> ClassLists.of_counts([2, 0, 1]).counts.tolist()
        [2, 0, 1]
        """
        ends = np.cumsum(np.asarray(counts, np.int64), dtype=np.int64)
        starts = np.concatenate([[0], ends]).astype(np.uint64)
        if int(starts[-1]) >= MOST_SAMPLES:
            raise ValueError(f"{starts[-1]} samples: balanced orders take fewer than 2**32.")
        return cls(starts, None)

    @classmethod
    def of_labels(cls, labels: Any) -> ClassLists:
        """Of samples with these labels, natural numbers; the classes are 0 to the largest one.

        Raises:
            ValueError: the labels are not one row of natural numbers.

        >>> ClassLists.of_labels([1, 0, 1]).members.tolist()
        [1, 0, 2]
        """
        array = np.asarray(labels.cpu() if isinstance(labels, torch.Tensor) else labels)
        if array.ndim != 1 or not (np.issubdtype(array.dtype, np.integer) or not array.size):
            raise ValueError(
                f"labels has shape {array.shape} and dtype {array.dtype}: give one integer a "
                "sample, such as dataset.targets (of names, numpy.unique(names, "
                "return_inverse=True)[1])."
            )
        array = array.astype(np.int64, copy=False)
        if array.size and int(array.min()) < 0:
            raise ValueError(f"Label {array.min()} is negative: classes are numbered from 0 on.")
        lists = cls.of_counts(np.bincount(array))
        if not array.size or bool((array[1:] >= array[:-1]).all()):
            return lists
        return cls(lists.starts, np.argsort(array, kind="stable").astype(np.uint32))

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """int64, shape (classes,): how many samples each class has."""
        starts = self.starts.astype(np.int64)
        return starts[1:] - starts[:-1]
