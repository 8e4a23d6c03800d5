"""Orders: which sample comes at which position of an epoch."""

from __future__ import annotations

from fastload.sample.agreement import SeedAgreement
from fastload.sample.balanced import BalancedSampler
from fastload.sample.batches import Slice, batches_of_indices, batches_of_sampler, ranks_of
from fastload.sample.class_lists import ClassLists
from fastload.sample.epochs import EpochCounter
from fastload.sample.next_use import (
    LONGEST,
    NEVER,
    NEXT_PASS,
    Times,
    coming_uses,
    expected_waits,
    has_repeats,
    next_uses,
)
from fastload.sample.order import Order, OrderSampler
from fastload.sample.permutation import InOrderSampler, PermutationSampler
from fastload.sample.ranks import Ranks, checked_ranks, ranks_of_process, tell_of_ranks
from fastload.sample.rewinding import identity_of, rewind, rewind_point
from fastload.sample.seeds import checked_seed
from fastload.sample.shards import UNEVEN, Division
from fastload.sample.wrapped import unwrapped

__all__ = [
    "LONGEST",
    "NEVER",
    "NEXT_PASS",
    "UNEVEN",
    "BalancedSampler",
    "ClassLists",
    "Division",
    "EpochCounter",
    "InOrderSampler",
    "Order",
    "OrderSampler",
    "PermutationSampler",
    "Ranks",
    "SeedAgreement",
    "Slice",
    "Times",
    "batches_of_indices",
    "batches_of_sampler",
    "checked_ranks",
    "checked_seed",
    "coming_uses",
    "expected_waits",
    "has_repeats",
    "identity_of",
    "next_uses",
    "ranks_of",
    "ranks_of_process",
    "rewind",
    "rewind_point",
    "tell_of_ranks",
    "unwrapped",
]
