"""What is lowered, what is not and why; the torch engine's arithmetic is torchvision's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms import transforms as v1

from fastload.augment import Container, Draws, lower
from fastload.engines.torch import render
from tests.conftest import picture

BICUBIC = InterpolationMode.BICUBIC
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def photo(height: int, width: int) -> Image.Image:
    return Image.fromarray(picture(np.random.default_rng(7), height, width))


def rendered(transform: Any, image: Image.Image) -> torch.Tensor:
    """One image through the lowered transform; nothing may be left to run per sample."""
    pipeline = lower(transform)
    assert not pipeline.suffix, pipeline.notes
    sizes = np.array([image.height]), np.array([image.width])
    plan = pipeline.plan(Draws(0, 0, np.zeros(1, np.int64)), *sizes)
    assert not plan.failures
    output = pipeline.output
    height, width = int(plan.heights[0]), int(plan.widths[0])
    out = torch.empty(output.channels, height, width, dtype=output.dtype)
    render(image, pipeline, plan, 0, out)
    return out


DETERMINISTIC: dict[str, Callable[[], Any]] = {
    "eval v1": lambda: v1.Compose(
        [v1.Resize(40), v1.CenterCrop(32), v1.ToTensor(), v1.Normalize(MEAN, STD)]
    ),
    "eval v2": lambda: v2.Compose(
        [
            v2.ToImage(),
            v2.CenterCrop(32),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
            v2.ToPureTensor(),
        ]
    ),
    "pil v2": lambda: v2.Compose(
        [v2.Resize(40, BICUBIC), v2.PILToTensor(), v2.ToDtype(torch.float16)]
    ),
    "nested": lambda: v1.Compose([v1.Compose([v1.Resize((31, 45)), nn.Identity()]), v1.ToTensor()]),
    "sequential": lambda: v1.Compose([v1.PILToTensor(), nn.Sequential(v1.CenterCrop(20))]),
    "one transform": lambda: v1.ToTensor(),
    "half": lambda: v1.Compose(
        [v1.PILToTensor(), v1.ConvertImageDtype(torch.float16), v1.Normalize(MEAN, STD)]
    ),
    "bfloat16": lambda: v2.Compose(
        [v2.ToImage(), v2.ToDtype(torch.bfloat16, scale=True), v2.Normalize(MEAN, STD)]
    ),
    "one mean": lambda: v1.Compose([v1.ToTensor(), v1.Normalize([0.5], [0.25])]),
    "twice": lambda: v1.Compose(
        [v1.ToTensor(), v1.Normalize(MEAN, STD), v1.Normalize((0.1,) * 3, (2.0,) * 3)]
    ),
    "grey": lambda: v1.Compose([v1.Grayscale(), v1.ToTensor(), v1.Normalize([0.5], [0.5])]),
    "grey 3": lambda: v1.Compose([v1.Grayscale(3), v1.PILToTensor()]),
    "large centre": lambda: v1.Compose([v1.CenterCrop((90, 33)), v1.ToTensor()]),
    "odd centre": lambda: v1.Compose([v1.CenterCrop((81, 71)), v1.ToTensor()]),
    "pads": lambda: v1.Compose(
        [
            v1.Pad(3, fill=(1, 2, 3)),
            v1.Pad((1, 2), padding_mode="reflect"),
            v1.Pad((4, 3, 2, 1), padding_mode="symmetric"),
            v1.Pad([5], padding_mode="edge"),
            v1.PILToTensor(),
        ]
    ),
    "pad of values": lambda: v1.Compose([v1.ToTensor(), v1.Pad(2, fill=1)]),
    "longest side": lambda: v1.Compose([v1.Resize(30, max_size=35), v1.ToTensor()]),
    "longest alone": lambda: v2.Compose([v2.Resize(None, max_size=35), v2.PILToTensor()]),
    "nearest": lambda: v1.Compose(
        [v1.Resize(30, interpolation=InterpolationMode.NEAREST), v1.ToTensor()]
    ),
    "lanczos": lambda: v1.Compose([v1.Resize(30, InterpolationMode.LANCZOS), v1.ToTensor()]),
    "box": lambda: v1.Compose([v1.Resize(30, InterpolationMode.BOX), v1.ToTensor()]),
    "hamming": lambda: v1.Compose([v1.Resize(30, InterpolationMode.HAMMING), v1.ToTensor()]),
    "pillow's number": lambda: v1.Compose([v1.Resize(30, 3), v1.ToTensor()]),
    "flips": lambda: v1.Compose(
        [v1.RandomHorizontalFlip(1.0), v1.ToTensor(), v1.RandomVerticalFlip(1.0)]
    ),
    "crop of the whole": lambda: v1.Compose([v1.RandomCrop((61, 83)), v1.ToTensor()]),
    "no crop": lambda: v2.Compose([v2.RandomCrop((61, 83)), v2.RGB(), v2.PILToTensor()]),
}


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_equals_torchvision_to_the_bit(name: str) -> None:
    transform = DETERMINISTIC[name]()
    image = photo(61, 83)
    expected = transform(image)
    result = rendered(transform, image)
    assert result.dtype == expected.dtype
    assert torch.equal(result, expected.as_subclass(torch.Tensor))


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
@pytest.mark.parametrize("module", [v1, v2])
def test_random_crop_pads_as_torchvision(module: Any, mode: str) -> None:
    # A crop as large as the padded image has no freedom left, so nothing is drawn.
    crop = module.RandomCrop((37, 43), padding=4, pad_if_needed=True, fill=9, padding_mode=mode)
    image = photo(37 - 8, 43 - 8)
    assert torch.equal(
        rendered(v1.Compose([crop, v1.PILToTensor()]), image), v1.PILToTensor()(crop(image))
    )


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
@pytest.mark.parametrize("module", [v1, v2])
def test_random_crop_of_a_small_image_is_a_part_of_torchvisions_padded_one(
    module: Any, mode: str
) -> None:
    crop = module.RandomCrop(40, padding=2, pad_if_needed=True, fill=(9, 8, 7), padding_mode=mode)
    image = photo(31, 60)
    found = rendered(v1.Compose([crop, v1.PILToTensor()]), image).numpy()
    padded = _padded(image, mode, sequential=module is v1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 40, 40))[0]
    assert (windows == found).all(axis=(2, 3, 4)).any()


def _padded(image: Image.Image, mode: str, sequential: bool) -> np.ndarray:
    """``image`` (31 x 60) as padded by 2 and then by the 5 rows it lacks to 40."""
    paddings = [(2, 2, 2, 2), (0, 5, 0, 5)] if sequential else [(2, 7, 2, 7)]
    for sides in paddings:
        image = v1.Pad(sides, (9, 8, 7), mode)(image)
    return np.asarray(image).transpose(2, 0, 1)


def test_a_crop_that_does_not_fit_is_named() -> None:
    plan = lower(v1.RandomCrop(50)).plan(
        Draws(0, 0, np.arange(3)), np.array([60, 40, 50]), np.array([60, 60, 50])
    )
    assert list(plan.failures) == [1]
    assert "(50, 50) is larger than input image size (40, 60)" in plan.failures[1]


def test_a_resize_to_nothing_is_named() -> None:
    plan = lower(v1.Resize(4, max_size=5)).plan(
        Draws(0, 0, np.arange(2)), np.array([1, 50]), np.array([900, 50])
    )
    assert list(plan.failures) == [0]
    assert plan.heights.tolist() == [1, 4]


def test_resize_sizes_are_torchvisions() -> None:
    rng = np.random.default_rng(3)
    heights, widths = rng.integers(1, 700, (2, 300))
    plan = lower(v1.Resize(33, max_size=50)).plan(Draws(0, 0, np.arange(300)), heights, widths)
    for row in range(300):
        if row not in plan.failures:
            image = v1.Resize(33, max_size=50)(torch.empty(1, heights[row], widths[row]))
            assert tuple(image.shape[1:]) == (plan.heights[row], plan.widths[row])


NOT_LOWERED = {
    "unknown": ([lambda image: image], "does not know"),
    "subclass": ([type("Own", (v1.Resize,), {})(8)], "does not know"),
    "resize of values": ([v1.ToTensor(), v1.Resize(8)], "no longer 8-bit"),
    "jitter of values": ([v1.ToTensor(), v1.ColorJitter(0.4)], "no longer 8-bit"),
    "grey of values": ([v1.ToTensor(), v1.RandomGrayscale()], "no longer 8-bit"),
    "pad after normalize": (
        [v1.ToTensor(), v1.Normalize(MEAN, STD), v1.Pad(1)],
        "no 8-bit level becomes its fill",
    ),
    "centre after normalize": (
        [v1.ToTensor(), v1.Normalize(MEAN, STD), v1.CenterCrop(8)],
        "no 8-bit level",
    ),
    "noise": ([v1.ToTensor(), v1.RandomErasing(value="random")], "noise"),
    "erasing a PIL image": ([v1.RandomErasing()], "tensors only"),
    "flip after erasing": (
        [v1.ToTensor(), v1.RandomErasing(), v1.RandomHorizontalFlip()],
        "after RandomErasing",
    ),
    "double precision": ([v2.ToImage(), v2.ToDtype(torch.float64)], "torch.float64"),
    "normalize of levels": ([v1.PILToTensor(), v1.Normalize(MEAN, STD)], "torchvision refuses"),
    "normalize a PIL image": ([v1.Normalize(MEAN, STD)], "needs a tensor"),
    "zero deviation": ([v1.ToTensor(), v1.Normalize(MEAN, (0, 1, 1))], "torchvision refuses"),
    "three means on grey": (
        [v1.Grayscale(), v1.ToTensor(), v1.Normalize(MEAN, STD)],
        "torchvision refuses",
    ),
    "no antialias on tensors": (
        [v1.PILToTensor(), v1.Resize(8, antialias=False)],
        "antialias",
    ),
    "nearest on tensors": (
        [v2.ToImage(), v2.Resize(8, interpolation=InterpolationMode.NEAREST)],
        "another filter",
    ),
    "fill by type": ([v2.Pad(1, fill={torch.Tensor: 3})], "type of the sample"),
    "now and then a tensor": ([v1.RandomApply([v1.CenterCrop(8)])], "now and then"),
    "negative padding": ([v1.Pad(-1)], "less than nothing"),
}


@pytest.mark.parametrize("name", NOT_LOWERED)
def test_what_is_not_lowered_says_why(name: str) -> None:
    transforms, reason = NOT_LOWERED[name]
    flip = v1.RandomHorizontalFlip()
    pipeline = lower(v1.Compose([flip, *transforms, flip]))
    assert pipeline.suffix == (transforms[-1], flip)
    assert pipeline.notes[0].reason is None
    assert reason in str(pipeline.notes[-2].reason)
    assert "after one that is not lowered" in str(pipeline.notes[-1].reason)


def test_centre_crop_after_normalize_is_lowered_where_it_cannot_pad() -> None:
    transform = v1.Compose(
        [v1.Resize((40, 40)), v1.ToTensor(), v1.Normalize(MEAN, STD), v1.CenterCrop(32)]
    )
    image = photo(50, 60)
    assert torch.equal(rendered(transform, image), transform(image))


def test_containers() -> None:
    assert lower(None).output.container is Container.PIL
    assert lower(v1.ToTensor()).output.container is Container.TENSOR
    assert lower(v2.ToImage()).output.container is Container.IMAGE
    assert lower(None).output.is_levels
    assert not lower(v1.ToTensor()).output.is_levels


def test_an_erased_value_follows_the_conversions_after_it() -> None:
    erasing = v1.RandomErasing(p=1.0, value=(0.5, 0.25, 1.0))
    pipeline = lower(v1.Compose([v1.ToTensor(), erasing, v1.Normalize(MEAN, STD)]))
    expected = v1.Normalize(MEAN, STD)(torch.tensor([0.5, 0.25, 1.0])[:, None, None])
    assert torch.equal(torch.tensor(pipeline.ops[-1].value), expected.flatten().double())


def test_v2_tensors_are_taken_as_the_pil_image_they_come_from() -> None:
    resize = v2.Resize(30, antialias=True)
    image = photo(61, 83)
    on_tensor = v2.Compose([v2.ToImage(), resize])
    on_pil = v2.Compose([resize, v2.ToImage()])
    assert torch.equal(rendered(on_tensor, image), on_pil(image).as_subclass(torch.Tensor))
    difference = rendered(on_tensor, image).int() - on_tensor(image).int()
    assert difference.abs().max() <= 1


def test_tables_are_torchvisions_arithmetic() -> None:
    levels = torch.arange(256, dtype=torch.uint8).repeat(3, 1)[:, None]
    for transform in (
        v1.Compose([v1.ConvertImageDtype(torch.float16), v1.Normalize(MEAN, STD)]),
        v2.Compose([v2.ToDtype(torch.bfloat16, scale=True), v2.Normalize(MEAN, STD)]),
    ):
        table = lower(v1.Compose([v1.PILToTensor(), transform])).output.table
        assert torch.equal(table, transform(levels)[:, 0])
