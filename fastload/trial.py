"""Trying a sampler without leaving a trace."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from fastload.sample import Order

__all__ = ["tried_order"]


def tried_order(loader: DataLoader[Any]) -> Order:
    """The samples that an epoch of a loader would have: int64, shape (n,).

    A copy of its sampler is iterated, and the process's random generators are put back.

    Raises:
        ValueError: the sampler cannot be copied, or has no end.
    """
    if isinstance(loader.dataset, IterableDataset):
        raise ValueError("An IterableDataset has no sampler: its own order cannot be foreseen.")
    own = loader.sampler if loader.batch_sampler is None else loader.batch_sampler
    try:
        length = len(loader)
        # The dataset, which may be large or open, is not the sampler's own.
        sampler = copy.deepcopy(own, {id(loader.dataset): loader.dataset})
    except TypeError as error:
        raise ValueError(
            f"{type(own).__name__} cannot be tried: it has no length, or no copy can be made of it "
            f"({error})."
        ) from error
    with _generators_kept():
        drawn = islice(iter(sampler), length)
        samples = drawn if loader.batch_sampler is None else chain.from_iterable(drawn)
        return np.fromiter(map(int, samples), np.int64)


@contextmanager
def _generators_kept() -> Iterator[None]:
    # Samplers of users may draw from any of them.
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002
