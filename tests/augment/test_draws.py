"""Draws are pure functions of seed, epoch, position and stream."""

from __future__ import annotations

import numpy as np
from torchvision.transforms import transforms as v1

from fastload.augment import Draws, lower

TRAIN = v1.Compose(
    [
        v1.RandomResizedCrop(32),
        v1.RandomHorizontalFlip(),
        v1.RandomApply([v1.ColorJitter(0.4, 0.4, 0.4, 0.1), v1.RandomGrayscale(0.5)], p=0.5),
        v1.ToTensor(),
        v1.RandomErasing(),
    ]
)


def steps(seed: int, epoch: int, positions: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(0)
    sizes = rng.integers(20, 200, (2, 1000))
    pipeline = lower(TRAIN)
    plan = pipeline.plan(Draws(seed, epoch, positions), sizes[0, positions], sizes[1, positions])
    return pipeline.write_steps(plan)


def test_a_plan_can_be_cut_anywhere() -> None:
    positions = np.arange(1000)
    whole = steps(5, 2, positions)
    for start, stop in ((0, 1), (1, 130), (130, 131), (131, 1000)):
        assert np.array_equal(whole[start:stop], steps(5, 2, positions[start:stop]))


def test_a_plan_does_not_depend_on_the_order_of_rows() -> None:
    shuffled = np.random.default_rng(1).permutation(1000)
    assert np.array_equal(steps(5, 2, np.arange(1000))[shuffled], steps(5, 2, shuffled))


def test_seed_and_epoch_change_every_plan() -> None:
    positions = np.arange(1000)
    reference = steps(5, 2, positions)
    for seed, epoch in ((6, 2), (5, 3), (5 + (1 << 40), 2)):
        same = (steps(seed, epoch, positions) == reference).all(axis=1)
        assert same.mean() < 0.01


def test_an_operation_at_the_end_leaves_earlier_draws_alone() -> None:
    positions, sizes = np.arange(50), np.full(50, 90)
    short = lower(v1.RandomResizedCrop(32)).plan(Draws(1, 1, positions), sizes, sizes)
    longer = lower(v1.Compose([v1.RandomResizedCrop(32), v1.RandomVerticalFlip()]))
    plan = longer.plan(Draws(1, 1, positions), sizes, sizes)
    for name, column in short.columns[0].items():
        assert np.array_equal(column, plan.columns[0][name])
