"""Images of a batch: in memory of the canvas's own, or as an engine has made them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from fastload.augment import lower
from fastload.engines.canvas import Canvas
from fastload.engines.slots import Slots

TENSOR = lower(v2.PILToTensor()).output


def canvas_of(heights: list[int], widths: list[int], channels_last: bool = False) -> Canvas:
    return Canvas(
        TENSOR,
        np.array(heights),
        np.array(widths),
        Slots(1),
        device=torch.device("cpu"),
        channels_last=channels_last,
    )


@pytest.mark.parametrize("channels_last", [False, True])
def test_addresses_are_where_the_images_begin(channels_last: bool) -> None:
    for heights, widths in (([4, 4], [5, 5]), ([4, 2, 7], [5, 3, 1])):
        canvas = canvas_of(heights, widths, channels_last)
        assert canvas.addresses.tolist() == [image.data_ptr() for image in canvas.images]
        assert [tuple(image.shape[1:]) for image in canvas.images] == [
            *zip(heights, widths, strict=True)
        ]


def test_all_images_are_adopted_without_a_copy() -> None:
    canvas = canvas_of([4, 4], [5, 5])
    made = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    canvas.adopt(np.arange(2), made)
    assert canvas.batch is made


@pytest.mark.parametrize("sizes", [([4, 4, 4], [5, 5, 5]), ([4, 2, 4], [5, 3, 5])])
def test_some_images_are_copied_into_their_rows(sizes: tuple[list[int], list[int]]) -> None:
    canvas = canvas_of(*sizes, channels_last=True)
    made = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    before = canvas.image(1).clone()
    canvas.adopt(np.array([2, 0]), made)
    assert torch.equal(canvas.image(2), made[0]) and torch.equal(canvas.image(0), made[1])
    assert torch.equal(canvas.image(1), before)
