"""Samplers of this library within those that others put around them."""

from __future__ import annotations

from typing import Any

from torch.utils.data import DistributedSampler

from fastload.sample.balanced import BalancedSampler

__all__ = ["unwrapped"]


def unwrapped(sampler: Any) -> Any:
    """The balanced sampler that Lightning has put into a ``DistributedSampler``; else the sampler.

    For several processes Lightning makes loaders anew, with a sampler that deals out one by one
    what the loader's own gives. That would part the batches of classes, and count epochs from 0
    after each checkpoint. Orders of this library are divided without either.

    >>> unwrapped([1, 2])
    [1, 2]
    """
    if not isinstance(sampler, DistributedSampler):
        return sampler
    inner = getattr(sampler.dataset, "_sampler", None)
    return inner if isinstance(inner, BalancedSampler) else sampler
