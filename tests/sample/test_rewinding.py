"""Samplers brought back to where a pass of theirs began."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from fastload.sample import PermutationSampler, identity_of, rewind, rewind_point


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def distributed(epoch: int = 0) -> DistributedSampler[Any]:
    sampler: Any = DistributedSampler(range(10), 2, 1)
    sampler.set_epoch(epoch)
    return sampler


KNOWN = {
    "list": lambda: [3, 1, 2],
    "tensor": lambda: torch.tensor([3, 1, 2]),
    "sequential": lambda: SequentialSampler(range(5)),
    "distributed": lambda: distributed(4),
    "random": lambda: RandomSampler(range(9), generator=generator()),
    "some of random": lambda: RandomSampler(range(9), num_samples=13, generator=generator()),
    "weighted": lambda: WeightedRandomSampler([1.0, 2.0, 3.0], 9, generator=generator()),
    "subset": lambda: SubsetRandomSampler(range(9), generator=generator()),
    "ours": lambda: PermutationSampler(range(9), 5),
    "batches": lambda: BatchSampler(RandomSampler(range(9), generator=generator()), 2, False),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_rewound_sampler_gives_the_same_order(name: str) -> None:
    sampler: Any = KNOWN[name]()
    list(sampler)
    point = rewind_point(sampler)
    assert point is not None
    orders = [[repr(item) for item in sampler] for _ in range(2)]
    another: Any = KNOWN[name]()
    for one in (sampler, another):
        rewind(one, point)
        assert [[repr(item) for item in one] for _ in range(2)] == orders


class _Own(DistributedSampler[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter([0])


UNKNOWN = {
    "random": RandomSampler(range(9)),
    "weighted": WeightedRandomSampler([1.0, 2.0], 9),
    "iterator": iter([1, 2]),
    "own iteration": _Own(range(9), 2, 0),
    "batches of it": BatchSampler(RandomSampler(range(9)), 2, False),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_cannot_be_rewound_is_known(name: str) -> None:
    assert rewind_point(UNKNOWN[name]) is None


def test_identities_tell_samplers_apart() -> None:
    samplers = [
        PermutationSampler(range(9), 5),
        PermutationSampler(range(9), 6),
        PermutationSampler(range(8), 5),
        SequentialSampler(range(9)),
        DistributedSampler(range(9), 2, 0),
        DistributedSampler(range(9), 2, 0, seed=1),
        DistributedSampler(range(9), 2, 0, shuffle=False),
        RandomSampler(range(9), replacement=True),
        RandomSampler(range(9)),
        BatchSampler(RandomSampler(range(9)), 2, False),
        BatchSampler(RandomSampler(range(9)), 3, False),
    ]
    identities = [repr(identity_of(sampler)) for sampler in samplers]
    assert len(set(identities)) == len(identities)
    other_ranks = DistributedSampler(range(9), 3, 2)
    assert identity_of(other_ranks) == identity_of(samplers[4])
