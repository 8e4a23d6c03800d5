"""Steps in words and as outlines, held against what the engine makes of an image of coordinates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

import fastload
from fastload.augment import Draws, lower
from fastload.survey.drawn import outline, words

HEIGHT, WIDTH = 200, 250


@pytest.fixture(scope="module")
def coordinates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One image whose red is the column and whose green is the row; blue says that it is image."""
    root = tmp_path_factory.mktemp("coordinates") / "photos"
    (root / "a").mkdir(parents=True)
    pixels = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(WIDTH), np.arange(HEIGHT)[:, None]
    Image.fromarray(pixels).save(root / "a" / "0.png")
    return fastload.pack(root, workers=1).path


def steps_of(transform: Any, seed: int) -> tuple[np.ndarray, Any]:
    pipeline = lower(transform)
    assert not pipeline.suffix
    plan = pipeline.plan(Draws(seed, 0, np.arange(1)), np.array([HEIGHT]), np.array([WIDTH]))
    assert not plan.failures
    return pipeline.write_steps(plan)[0], plan


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "transform",
    [
        v2.RandomResizedCrop(96),
        v2.Compose([v2.Resize(120), v2.CenterCrop((90, 100)), v2.RandomHorizontalFlip(1)]),
        v2.Compose([v2.Pad((5, 10, 15, 20)), v2.RandomCrop((150, 160)), v2.RandomVerticalFlip(1)]),
        v2.Compose([v2.RandomHorizontalFlip(1), v2.RandomCrop(120, padding=30), v2.Resize(80)]),
        v2.Compose([v2.RandomRotation(40), v2.RandomHorizontalFlip(), v2.CenterCrop(90)]),
        v2.Compose([v2.RandomAffine(20, (0.1, 0.2), (0.8, 1.2), 10), v2.RandomResizedCrop(64)]),
    ],
    ids=lambda transform: type(transform).__name__,
)
def test_the_outline_is_where_the_pixels_come_from(
    coordinates: Path, transform: Any, seed: int
) -> None:
    dataset = fastload.ImageFolder(coordinates, v2.Compose([transform, v2.PILToTensor()]))
    loader = fastload.DataLoader(dataset, seed=seed, num_workers=1, cache=0)
    sample = next(iter(loader))[0][0].numpy().astype(float)
    corners = outline(steps_of(transform, seed)[0], HEIGHT, WIDTH) * (WIDTH, HEIGHT)
    height, width = sample.shape[1:]
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    checked = 0
    for row in range(4, height - 4, 7):
        for column in range(4, width - 4, 7):
            red, green, blue = sample[:, row, column]
            x, y = corners[0] + across * (column + 0.5) / width + down * (row + 0.5) / height
            inside = 6 < x < WIDTH - 6 and 6 < y < HEIGHT - 6
            if inside:
                # Warps take the nearest pixel, resizing averages: within a pixel and a half.
                assert blue > 200
                assert abs(red + 0.5 - x) < 1.5 and abs(green + 0.5 - y) < 1.5
                checked += 1
    assert checked > 20


@pytest.mark.parametrize(
    ("transform", "told"),
    [
        (v2.CenterCrop((100, 50)), "crop 50 × 100 at (100, 50): 10 % of the area"),
        (v2.Resize((20, 30)), "resize to 30 × 20, bilinear"),
        (v2.Resize((20, 30), v2.InterpolationMode.NEAREST), "resize to 30 × 20, nearest"),
        (v2.RandomHorizontalFlip(1), "mirrored"),
        (v2.RandomVerticalFlip(1), "upside down"),
        (v2.Pad((1, 2, 3, 4)), "pad left 1, top 2, right 3, bottom 4"),
        (v2.ColorJitter(brightness=(1.3, 1.3)), "brightness × 1.30"),
        (v2.ColorJitter(contrast=(0.8, 0.8)), "contrast × 0.80"),
        (v2.ColorJitter(saturation=(2, 2)), "saturation × 2.00"),
        (v2.ColorJitter(hue=(0.25, 0.25)), "hue +90°"),
        (v2.Grayscale(3), "grey"),
        (v2.RandomRotation((30, 30)), "turned 30.0° left"),
        (v2.RandomAffine((30, 30)), "turned 30.0° right"),
        (v2.RandomAffine(0, scale=(0.5, 0.5)), "scaled × 0.50"),
        (v2.RandomAffine(0, shear=(12, 12)), "sheared 12.0°"),
        (v2.RandomAdjustSharpness(2, 1), "sharpness × 2.00"),
        (v2.RandomPosterize(3, 1), "3 bits a colour"),
        (v2.RandomSolarize(100, 1), "inverted from level 100 on"),
        (v2.RandomInvert(1), "inverted"),
        (v2.RandomAutocontrast(1), "contrast stretched"),
        (v2.RandomEqualize(1), "levels equalised"),
        (v2.GaussianBlur(5, (1.5, 1.5)), "blurred, sigma 1.50 pixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_step_is_told_with_its_numbers(transform: Any, told: str) -> None:
    assert words(steps_of(transform, 0)[0], HEIGHT, WIDTH) == [told]


def test_a_shift_is_told_in_pixels() -> None:
    steps, plan = steps_of(v2.RandomAffine(0, (0.3, 0.3)), 5)
    across, down = (int(plan.columns[0][name][0]) for name in ("across", "down"))
    assert words(steps, HEIGHT, WIDTH) == [f"middle shifted by ({across}, {down})"]


def test_what_was_not_drawn_is_not_told() -> None:
    transform = v2.Compose(
        [
            v2.RandomHorizontalFlip(0),
            v2.RandomApply([v2.RandomInvert(1)], 0),
            v2.RandomAffine(0),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.RandomErasing(1, scale=(0.1, 0.1), ratio=(1, 1)),
        ]
    )
    steps, plan = steps_of(transform, 0)
    box = [int(plan.columns[-1][name][0]) for name in ("width", "height", "left", "top")]
    assert words(steps, HEIGHT, WIDTH) == [
        "a warp that changes nothing",
        "erase {} × {} at ({}, {})".format(*box),
    ]
