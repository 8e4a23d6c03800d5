"""Which samples of a dataset belong to which class, and how the classes are called."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import ConcatDataset, Subset

from fastload.sample import ClassLists
from fastload.view import view_of

__all__ = ["class_names", "classes_of"]


def classes_of(dataset: Any) -> ClassLists:
    """The samples of each class, of any dataset that has ``targets``, and of parts and unions.

    Raises:
        ValueError: the dataset does not tell the classes of its samples.
    """
    view = view_of(dataset)
    if view is None:
        return ClassLists.of_labels(_labels_of(dataset))
    if any(not part.classes for part in view.parts):
        raise ValueError(
            f"{view.parts[0].root} was packed without classes (--unlabelled): there is nothing to "
            "balance."
        )
    return view.class_lists()


def class_names(dataset: Any) -> list[str] | None:
    """The names of the classes; None where the dataset tells none, or its parts differ in them."""
    if isinstance(dataset, Subset):
        return class_names(dataset.dataset)
    if isinstance(dataset, ConcatDataset):
        names = [class_names(member) for member in dataset.datasets]
        return names[0] if all(name == names[0] for name in names) else None
    names_here = getattr(dataset, "classes", None)
    return None if names_here is None else [str(name) for name in names_here]


def _labels_of(dataset: Any) -> npt.NDArray[Any]:
    if isinstance(dataset, Subset):
        return _labels_of(dataset.dataset)[np.asarray(dataset.indices, np.int64)]
    if isinstance(dataset, ConcatDataset):
        return np.concatenate([_labels_of(member) for member in dataset.datasets])
    targets = getattr(dataset, "targets", None)
    if targets is None:
        raise ValueError(
            f"{type(dataset).__name__} has no targets, so that nobody knows its samples' classes: "
            "give sampler=fastload.BalancedSampler(labels, ...) with the class of each."
        )
    return np.asarray(targets.cpu() if isinstance(targets, torch.Tensor) else targets)
