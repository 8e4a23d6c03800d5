"""The drawn parameters follow torchvision's own distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torchvision.transforms import transforms as v1

from fastload.augment import Draws, Plan, lower

DRAWS = 4000


def plan_of(transform: object, height: int, width: int, draws: int = DRAWS) -> Plan:
    """One plan for many images of one size."""
    sizes = np.full(draws, height), np.full(draws, width)
    return lower(transform).plan(Draws(11, 0, np.arange(draws)), *sizes)


def assert_same_distribution(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Two-sample Kolmogorov-Smirnov test at the 0.1 % level (the draws are seeded)."""
    values = np.concatenate([ours, theirs])
    below_ours = np.searchsorted(np.sort(ours), values, side="right") / len(ours)
    below_theirs = np.searchsorted(np.sort(theirs), values, side="right") / len(theirs)
    distance = np.abs(below_ours - below_theirs).max()
    critical = math.sqrt(-0.5 * math.log(0.0005) * (1 / len(ours) + 1 / len(theirs)))
    assert distance < critical


def assert_share(hits: np.ndarray, probability: float) -> None:
    """The share of hits is within four standard deviations of the probability."""
    spread = math.sqrt(probability * (1 - probability) / len(hits))
    assert abs(hits.mean() - probability) <= 4 * spread


@pytest.mark.parametrize(
    ("height", "width"), [(375, 500), (40, 400), (400, 40), (33, 33), (1, 9), (500, 375)]
)
def test_random_resized_crop(height: int, width: int) -> None:
    columns = plan_of(v1.RandomResizedCrop(224), height, width).columns[0]
    image = torch.empty(3, height, width)
    torch.manual_seed(3)
    theirs = np.array(
        [v1.RandomResizedCrop.get_params(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(DRAWS)]
    )
    for place, name in enumerate(("top", "left", "height", "width")):
        assert_same_distribution(columns[name], theirs[:, place])
    areas = columns["height"] * columns["width"]
    assert_same_distribution(areas, theirs[:, 2] * theirs[:, 3])


def test_random_resized_crop_boxes_lie_inside() -> None:
    rng = np.random.default_rng(0)
    heights, widths = rng.integers(1, 300, DRAWS), rng.integers(1, 300, DRAWS)
    pipeline = lower(v1.RandomResizedCrop(64, scale=(0.5, 1.0), ratio=(0.2, 5.0)))
    columns = pipeline.plan(Draws(1, 2, np.arange(DRAWS)), heights, widths).columns[0]
    assert (columns["top"] >= 0).all() and (columns["left"] >= 0).all()
    assert (columns["top"] + columns["height"] <= heights).all()
    assert (columns["left"] + columns["width"] <= widths).all()
    assert (columns["height"] > 0).all() and (columns["width"] > 0).all()


@pytest.mark.parametrize(("height", "width"), [(40, 400), (400, 40), (100, 120)])
def test_random_resized_crop_falls_back_to_torchvisions_centre(height: int, width: int) -> None:
    impossible = v1.RandomResizedCrop(8, scale=(2.0, 3.0))
    columns = plan_of(impossible, height, width, draws=1).columns[0]
    image = torch.empty(3, height, width)
    expected = v1.RandomResizedCrop.get_params(image, [2.0, 3.0], [3 / 4, 4 / 3])
    drawn = tuple(int(columns[name][0]) for name in ("top", "left", "height", "width"))
    assert drawn == expected


def test_random_crop() -> None:
    columns = plan_of(v1.RandomCrop((20, 30), padding=(3, 5, 7, 11)), 40, 50).columns[0]
    image = torch.empty(3, 40 + 5 + 11, 50 + 3 + 7)
    torch.manual_seed(4)
    theirs = np.array([v1.RandomCrop.get_params(image, (20, 30)) for _ in range(DRAWS)])
    assert_same_distribution(columns["top"], theirs[:, 0])
    assert_same_distribution(columns["left"], theirs[:, 1])
    assert set(columns["height"]) == {20} and set(columns["width"]) == {30}


@pytest.mark.parametrize("probability", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("kind", [v1.RandomHorizontalFlip, v1.RandomVerticalFlip])
def test_flips(kind: type, probability: float) -> None:
    assert_share(plan_of(kind(probability), 8, 8).columns[0]["flip"], probability)


def test_random_grayscale() -> None:
    assert_share(plan_of(v1.RandomGrayscale(0.1), 8, 8).columns[0]["grey"], 0.1)


def test_random_apply() -> None:
    columns = plan_of(v1.RandomApply([v1.ColorJitter(0.4)], p=0.8), 8, 8).columns[0]
    assert_share(columns["apply"], 0.8)


def test_color_jitter_factors() -> None:
    jitter = v1.ColorJitter(0.4, (0.5, 1.25), 0.2, 0.1)
    columns = plan_of(jitter, 8, 8).columns[0]
    torch.manual_seed(5)
    ranges = jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue
    theirs = np.array([v1.ColorJitter.get_params(*ranges)[1:] for _ in range(DRAWS)])
    for place in range(4):
        assert_same_distribution(columns["factor"][:, place], theirs[:, place])


def test_color_jitter_orders_are_equally_likely() -> None:
    columns = plan_of(v1.ColorJitter(0.4, 0.4, 0.4, 0.1), 8, 8).columns[0]
    numbers = columns["order"] @ np.array([64, 16, 4, 1])
    counts = np.unique(numbers, return_counts=True)[1]
    assert len(counts) == 24
    expected = DRAWS / 24
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert chi_square < 49.7  # 0.1 % level, 23 degrees of freedom


@pytest.mark.parametrize(("height", "width"), [(64, 64), (30, 90)])
def test_random_erasing(height: int, width: int) -> None:
    transform = v1.Compose([v1.ToTensor(), v1.RandomErasing(p=0.5)])
    columns = plan_of(transform, height, width).columns[0]
    assert_share(columns["erase"], 0.5)
    chosen = columns["erase"]
    image = torch.empty(3, height, width)
    torch.manual_seed(6)
    theirs = np.array(
        [
            v1.RandomErasing.get_params(image, (0.02, 0.33), (0.3, 3.3), [0.0])[:4]
            for _ in range(DRAWS // 2)
        ]
    )
    for place, name in enumerate(("top", "left", "height", "width")):
        assert_same_distribution(columns[name][chosen], theirs[:, place])


def test_random_erasing_that_never_fits_leaves_the_image() -> None:
    transform = v1.Compose([v1.ToTensor(), v1.RandomErasing(p=1.0, scale=(1.0, 1.0))])
    assert not plan_of(transform, 9, 9).columns[0]["erase"].any()


def test_operations_draw_independently() -> None:
    transform = v1.Compose([v1.RandomHorizontalFlip(), v1.RandomVerticalFlip()])
    first, second = (columns["flip"] for columns in plan_of(transform, 8, 8).columns)
    assert_share(first == second, 0.5)
