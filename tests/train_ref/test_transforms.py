"""What is done to an image: torchvision's own, lowered whole, and each exception left out."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from fastload.augment import lower
from train_ref import transforms
from train_ref.config import Config
from train_ref.models.classifier import InputConfig
from train_ref.transforms import Exceptions

EVERYTHING = Config(vflip=True, rotate=20, jitter=0.3, erasing=0.5)
WANTED = InputConfig(size=32, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))


def names(compose: v2.Compose) -> set[str]:
    return {type(step).__name__ for step in compose.transforms}


@pytest.mark.parametrize(
    ("augment", "interpolation"),
    list(
        product(
            ("none", "randaugment", "trivialaugment", "autoaugment"),
            ("nearest", "bilinear", "bicubic"),
        )
    ),
)
def test_nothing_runs_in_python_for_each_sample(augment: str, interpolation: str) -> None:
    wanted = InputConfig(size=32, interpolation=interpolation)
    for compose in (
        transforms.training(EVERYTHING.replace(augment=augment), wanted),
        transforms.evaluation(wanted),
    ):
        lowered = lower(compose)
        assert lowered.suffix == ()
        assert [note.reason for note in lowered.notes] == [None] * len(compose.transforms)


@pytest.mark.parametrize("squash", [False, True])
def test_the_ends_of_a_long_image_are_there_if_it_is_squashed(squash: bool) -> None:
    pixels = np.zeros((20, 100, 3), np.uint8)
    pixels[:, -15:] = 255
    wanted = InputConfig(size=16, squash=squash)
    seen = transforms.evaluation(wanted)(Image.fromarray(pixels))
    assert bool(seen.max() > 0) == squash
    lowered = lower(transforms.training(EVERYTHING, wanted))
    assert lowered.suffix == ()
    made = transforms.training(EVERYTHING.replace(crop_scale=0.9), wanted)(Image.fromarray(pixels))
    assert made.shape == (3, 16, 16)


def test_equalized_images_have_all_levels_in_training_and_evaluation() -> None:
    faint = np.random.default_rng(0).integers(100, 110, (64, 64, 3), np.uint8)
    wanted = InputConfig(size=64, crop_share=1.0, equalize=True)
    config = Config(data="none", crop_scale=1.0, hflip=False)
    for compose in (transforms.evaluation(wanted), transforms.training(config, wanted)):
        assert lower(compose).suffix == ()
        seen = compose(Image.fromarray(faint))
        assert seen.min() == 0 and seen.max() == 255


def test_exceptions_leave_out_what_changes_the_label_and_nothing_else() -> None:
    config = EVERYTHING.replace(augment="randaugment")
    all_of_it = names(transforms.training(config, WANTED))
    for without, missing in (
        (Exceptions(hflip=True), {"RandomHorizontalFlip"}),
        (Exceptions(vflip=True), {"RandomVerticalFlip"}),
        (Exceptions(rotate=True), {"RandomRotation", "RandAugment"}),
    ):
        assert all_of_it - names(transforms.training(config, WANTED, without)) == missing


def test_what_is_drawn_gives_an_image_of_the_models_size() -> None:
    image = Image.fromarray(np.full((50, 70, 3), 200, np.uint8))
    made = transforms.training(EVERYTHING, WANTED)(image)
    assert made.shape == (3, 32, 32) and made.dtype == torch.uint8


@pytest.mark.parametrize(
    ("size", "share", "side"), [(224, 0.875, 256), (224, 1.0, 224), (380, 380 / 384, 384)]
)
def test_the_evaluated_crop_is_the_models_share(size: int, share: float, side: int) -> None:
    resize, crop, _ = transforms.evaluation(InputConfig(size=size, crop_share=share)).transforms
    assert resize.size == [side] and tuple(crop.size) == (size, size)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_batches_are_normalised_as_torchvision_does(memory_format: torch.memory_format) -> None:
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8).to(memory_format=memory_format)
    kept = images.clone()
    made = transforms.normaliser(WANTED, torch.device("cpu"))(images)
    oracle = v2.Compose(
        [v2.ToDtype(torch.float32, scale=True), v2.Normalize(WANTED.mean, WANTED.std)]
    )
    torch.testing.assert_close(made, oracle(kept))
    assert made.is_contiguous(memory_format=memory_format)
    assert torch.equal(images, kept)
