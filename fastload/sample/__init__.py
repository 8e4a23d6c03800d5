"""Orders: which sample comes at which position of an epoch."""

from __future__ import annotations

from fastload.sample.batches import (
    Slice,
    batches_of_indices,
    batches_of_order,
    batches_of_sampler,
)
from fastload.sample.epochs import EpochCounter
from fastload.sample.permutation import InOrderSampler, PermutationSampler

__all__ = [
    "EpochCounter",
    "InOrderSampler",
    "PermutationSampler",
    "Slice",
    "batches_of_indices",
    "batches_of_order",
    "batches_of_sampler",
]
