"""Bringing the samplers that torch knows back to where a pass of theirs began.

A saved position in a pass means something only where the sampler gives the same order once more.
That depends on

* nothing, for sequences and for samplers in order;
* the epoch it was told, for ``DistributedSampler`` and for the samplers of this library;
* its generator, for torch's random samplers, where they were given one of their own.

From all others, and from what is drawn from torch's global generator, no order can be had again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from fastload.sample.order import OrderSampler

__all__ = ["identity_of", "rewind", "rewind_point"]

_FIXED = (Sequence, SequentialSampler, torch.Tensor, np.ndarray)
_RANDOM = (RandomSampler, WeightedRandomSampler, SubsetRandomSampler)
_NAMED = ("seed", "shuffle", "replacement", "num_samples", "drop_last", "batch_size")


def rewind_point(sampler: Any) -> dict[str, Any] | None:
    """What the order of a pass that begins now depends on, or None where it cannot be had again.

    >>> rewind_point([3, 1, 2])
    {}
    >>> rewind_point(RandomSampler(range(3))) is None
    True
    """
    if isinstance(sampler, OrderSampler):
        return {"epoch": sampler.epochs.next}
    if isinstance(sampler, DistributedSampler):
        return {"epoch": sampler.epoch} if _iterates_as(sampler, DistributedSampler) else None
    if isinstance(sampler, BatchSampler):
        return rewind_point(sampler.sampler) if _iterates_as(sampler, BatchSampler) else None
    if isinstance(sampler, _RANDOM):
        plain = any(_iterates_as(sampler, base) for base in _RANDOM)
        known = plain and sampler.generator is not None
        return {"generator": sampler.generator.get_state()} if known else None
    return {} if isinstance(sampler, _FIXED) else None


def rewind(sampler: Any, point: dict[str, Any]) -> None:
    """Let the next pass of a sampler be the one that began at ``point``."""
    if isinstance(sampler, BatchSampler):
        rewind(sampler.sampler, point)
    elif "generator" in point:
        sampler.generator.set_state(point["generator"])
    elif "epoch" in point:
        sampler.set_epoch(point["epoch"])


def identity_of(sampler: Any) -> dict[str, Any]:
    """What a sampler is called, and what is known to decide its order, as JSON takes it.

    Of ``DistributedSampler`` the rank and the number of ranks do not count: together its ranks
    serve the same order whatever their number.

    >>> identity_of(SequentialSampler(range(3)))
    {'sampler': 'SequentialSampler', 'length': 3}
    """
    if isinstance(sampler, OrderSampler):
        return sampler.identity()
    identity: dict[str, Any] = {"sampler": type(sampler).__name__}
    divided = isinstance(sampler, DistributedSampler)
    whole = sampler.dataset if divided else sampler
    identity["length"] = len(whole) if hasattr(whole, "__len__") else None
    for name in ("seed", "shuffle") if divided else _NAMED:
        value = getattr(sampler, name, None)
        if isinstance(value, (bool, int)):
            identity[name] = value
    if isinstance(sampler, BatchSampler):
        identity["of"] = identity_of(sampler.sampler)
    return identity


def _iterates_as(sampler: Any, base: type) -> bool:
    """Whether a sampler has not put an order of its own in the place of torch's."""
    return getattr(type(sampler), "__iter__", None) is getattr(base, "__iter__", None)
