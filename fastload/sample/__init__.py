"""Orders: which sample comes at which position of an epoch."""

from __future__ import annotations

from fastload.sample.balanced import BalancedSampler
from fastload.sample.batches import (
    Slice,
    batches_of_indices,
    batches_of_order,
    batches_of_sampler,
)
from fastload.sample.class_lists import ClassLists
from fastload.sample.epochs import EpochCounter
from fastload.sample.next_use import NEVER, Times, expected_waits, next_uses, orders_of
from fastload.sample.order import Order, OrderSampler
from fastload.sample.permutation import InOrderSampler, PermutationSampler

__all__ = [
    "NEVER",
    "BalancedSampler",
    "ClassLists",
    "EpochCounter",
    "InOrderSampler",
    "Order",
    "OrderSampler",
    "PermutationSampler",
    "Slice",
    "Times",
    "batches_of_indices",
    "batches_of_order",
    "batches_of_sampler",
    "expected_waits",
    "next_uses",
    "orders_of",
]
