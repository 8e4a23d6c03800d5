"""Transforms that are not lowered: torchvision's own, one sample at a time.

They draw from torch's, Python's and NumPy's global generators. For as long as they run, those are
seeded from (seed, epoch, position) and then put back, so a sample is the same whatever ran before
it, and nobody else's random numbers change.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from fastload.augment.draws import Draws

__all__ = ["SUFFIX_STREAM", "run_transforms", "seeded_rows"]

SUFFIX_STREAM = 0xFFFD
"""The stream whose words seed what is not lowered."""


@contextmanager
def seeded_rows(draws: Draws) -> Iterator[Callable[[int], None]]:
    """Lend out the global generators: call the yielded function before each row.

    Args:
        draws: the random words of the batch's positions.
    """
    words = draws.words(SUFFIX_STREAM)[:, 0].astype(np.uint64)
    seeds = (words[:, 0] << np.uint64(31)) ^ words[:, 1]
    saved_torch = torch.default_generator.get_state()
    saved_python = random.getstate()
    saved_numpy = np.random.get_state()  # noqa: NPY002 (the global one is what transforms use)

    def seed_row(row: int) -> None:
        seed = int(seeds[row])
        torch.default_generator.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed & 0xFFFFFFFF)  # noqa: NPY002

    try:
        yield seed_row
    finally:
        torch.default_generator.set_state(saved_torch)
        random.setstate(saved_python)
        np.random.set_state(saved_numpy)  # noqa: NPY002


def run_transforms(transforms: Sequence[Callable[[Any], Any]], sample: Any) -> Any:
    """Apply transforms in order."""
    for transform in transforms:
        sample = transform(sample)
    return sample
