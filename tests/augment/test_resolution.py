"""Progressive resizing: the same transform for another output size."""

from __future__ import annotations

import pytest
from torchvision.transforms import transforms as v1

from fastload.augment import lower
from fastload.errors import TransformError


def test_sizes_are_scaled_alike() -> None:
    pipeline = lower(v1.Compose([v1.Resize(256), v1.CenterCrop(224), v1.ToTensor()]))
    small = pipeline.at_resolution(112, 112)
    assert small.known_size() == (112, 112)
    assert small.ops[0].size == (128,)


def test_random_resized_crop_takes_the_size() -> None:
    assert lower(v1.RandomResizedCrop(224)).at_resolution(96, 128).known_size() == (96, 128)


def test_random_crop_scales_its_padding() -> None:
    small = lower(v1.RandomCrop(32, padding=4)).at_resolution(16, 16)
    assert small.known_size() == (16, 16)
    assert small.ops[0].borders.tolist() == [2, 2, 2, 2]


def test_without_a_fixed_size_it_is_refused() -> None:
    with pytest.raises(TransformError, match="no fixed size"):
        lower(v1.Resize(256)).at_resolution(128, 128)


def test_a_size_that_cannot_be_met_is_refused() -> None:
    pipeline = lower(v1.Compose([v1.CenterCrop(30), v1.Pad(1)]))
    with pytest.raises(TransformError, match="do not divide"):
        pipeline.at_resolution(48, 48)
