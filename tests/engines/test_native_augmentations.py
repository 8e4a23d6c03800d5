"""The native engine's augmentations are those of torchvision on PIL images."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms as v1
from torchvision.transforms import InterpolationMode, v2

import fastload
from fastload.augment import Draws, lower
from fastload.augment.auto_augment import AugmentKind
from fastload.augment.blur import GaussianBlur
from fastload.augment.flip import HorizontalFlip, VerticalFlip
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.steps import StepKind, empty_steps
from fastload.engines.pool import ITEM, OutputDtype, OutputLayout, Pool, PoolOutput
from fastload.errors import TransformError
from fastload.native.library import jpeg_transcode, qoi_encode
from fastload.store import Codec
from tests.conftest import picture

LEVELS = PoolOutput(OutputDtype.UINT8, OutputLayout.INTERLEAVED, 3, 0)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(1)
    yield pool
    pool.close()


class Result:
    """What the pool makes of one record: its pixels, or why there are none."""

    def __init__(self, pool: Pool, codec: Codec, payload: bytes, image: Image.Image, steps: Any):
        data = np.frombuffer(payload, np.uint8)
        self.pixels = np.zeros((image.height, image.width, 3), np.uint8)
        items = np.zeros(1, ITEM)
        items["payload"], items["length"] = data.ctypes.data, len(data)
        items["codec"] = codec
        items["steps"], items["step_count"] = steps.ctypes.data, steps.shape[1]
        items["out_height"], items["out_width"] = image.height, image.width
        items["out"] = self.pixels.ctypes.data
        job = pool.submit(items, LEVELS, fast=False)
        job.wait(-1)
        job.close()
        self.failure = items["message"][0].decode()


def computed(pool: Pool, image: Image.Image, steps: Any) -> Result:
    """A grey image travels as a grey JPEG, which must be its own decoding."""
    if image.mode == "RGB":
        return Result(pool, Codec.QOI, qoi_encode(np.asarray(image)), image, steps)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95)
    seekable = jpeg_transcode(file.getvalue()).jpeg
    decoded = Image.open(io.BytesIO(seekable))
    image.paste(decoded)
    return Result(pool, Codec.JPEG, seekable, image, steps)


def difference(pool: Pool, image: Image.Image, ops: list[tuple[Op, Columns]]) -> int:
    """The largest between the native engine's pixels and those of the operations themselves."""
    records, block = empty_steps(1, sum(op.steps for op, _ in ops))
    start = 0
    for op, columns in ops:
        op.fill(columns, block.part(start, start + op.steps))
        start += op.steps
    result = computed(pool, image, records)
    assert result.failure == ""
    expected = image.convert("RGB")
    for op, columns in ops:
        expected = op.apply(expected, columns, 0)
    return int(np.abs(result.pixels.astype(int) - np.asarray(expected)).max())


def drawn_image(seed: int, height: int, width: int, grey: bool) -> Image.Image:
    rng = np.random.default_rng(seed)
    pixels = picture(rng, height, width)
    if seed % 3 == 0:
        pixels = rng.integers(0, 256, pixels.shape, dtype=np.uint8)
    if seed % 3 == 1:
        # Few levels, as autocontrast and equalize have little to go by.
        pixels = pixels // 40 * 7 + 30
    image = Image.fromarray(pixels)
    return image.convert("L") if grey else image


SIDES = st.one_of(st.integers(1, 5), st.integers(6, 90))
IMAGES = st.builds(drawn_image, st.integers(0, 999), SIDES, SIDES, st.booleans())
FLIPS = st.tuples(st.booleans(), st.booleans())
MAGNITUDES = {
    AugmentKind.IDENTITY: st.just(0.0),
    AugmentKind.SHEAR_X: st.floats(-1.2, 1.2),
    AugmentKind.SHEAR_Y: st.floats(-1.2, 1.2),
    AugmentKind.TRANSLATE_X: st.floats(-99, 99),
    AugmentKind.TRANSLATE_Y: st.floats(-99, 99),
    AugmentKind.ROTATE: st.one_of(st.floats(-360, 360), st.sampled_from([-90.0, 0, 90, 180])),
    AugmentKind.BRIGHTNESS: st.floats(-1, 2),
    AugmentKind.COLOR: st.floats(-1, 2),
    AugmentKind.CONTRAST: st.floats(-1, 2),
    AugmentKind.SHARPNESS: st.floats(-2, 3),
    AugmentKind.POSTERIZE: st.integers(1, 8).map(float),
    AugmentKind.SOLARIZE: st.floats(-1, 257),
    AugmentKind.AUTOCONTRAST: st.just(0.0),
    AugmentKind.EQUALIZE: st.just(0.0),
    AugmentKind.INVERT: st.just(0.0),
}
AUGMENTATIONS = st.sampled_from(list(AugmentKind)).flatmap(
    lambda kind: st.tuples(st.just(kind), MAGNITUDES[kind])
)


def flips(chosen: tuple[bool, bool]) -> list[tuple[Op, Columns]]:
    ops = (HorizontalFlip(0.5), VerticalFlip(0.5))
    return [(op, {"flip": np.array([flip])}) for op, flip in zip(ops, chosen, strict=True)]


@settings(deadline=None, max_examples=400)
@given(
    image=IMAGES,
    before=FLIPS,
    after=FLIPS,
    slots=st.lists(AUGMENTATIONS, min_size=1, max_size=3),
    interpolation=st.sampled_from(["nearest", "bilinear", "bicubic"]),
    fill=st.sampled_from([0, 7, (1, 200, 30)]),
)
def test_augmentations_equal_torchvisions_to_the_bit(
    pool: Pool,
    image: Image.Image,
    before: tuple[bool, bool],
    after: tuple[bool, bool],
    slots: list[tuple[AugmentKind, float]],
    interpolation: str,
    fill: Any,
) -> None:
    (op,) = lower(v2.RandAugment(len(slots), interpolation=interpolation, fill=fill)).ops
    columns = {
        "kind": np.array([[kind for kind, _ in slots]]),
        "magnitude": np.array([[magnitude for _, magnitude in slots]], np.float64),
        "height": np.array([image.height]),
        "width": np.array([image.width]),
    }
    ops = [*flips(before), (op, columns), *flips(after)]
    assert difference(pool, image, ops) == 0


@settings(deadline=None, max_examples=150)
@given(
    image=IMAGES,
    flipped=FLIPS,
    kernel=st.tuples(st.integers(0, 11), st.integers(0, 11)),
    sigma=st.floats(0.05, 12),
)
def test_blurs_are_torchvisions_within_a_level(
    pool: Pool,
    image: Image.Image,
    flipped: tuple[bool, bool],
    kernel: tuple[int, int],
    sigma: float,
) -> None:
    width = 2 * min(kernel[0], image.width - 1) + 1
    height = 2 * min(kernel[1], image.height - 1) + 1
    blur = GaussianBlur((width, height), (sigma, sigma))
    ops = [*flips(flipped), (blur, {"sigma": np.array([sigma])})]
    assert difference(pool, image, ops) <= 1


WARPS: dict[str, Any] = {
    "rotation": lambda module: module.RandomRotation(70),
    "rotation about a point": lambda module: module.RandomRotation(
        (10, 200), InterpolationMode.BILINEAR, center=(5, 8.5), fill=(3, 150, 9)
    ),
    "right angles": lambda module: module.RandomRotation((90, 90)),
    "affine": lambda module: module.RandomAffine(30, (0.2, 0.3), (0.6, 1.5), (-20, 20, -10, 30)),
    "shift and scale": lambda module: module.RandomAffine(0, (0.4, 0.4), (0.5, 2)),
    "shift": lambda module: module.RandomAffine(0, (0.4, 0.4), fill=9),
    "bicubic about a point": lambda module: module.RandomAffine(
        (20, 90), shear=15, interpolation=InterpolationMode.BICUBIC, center=(30, 2)
    ),
}


@pytest.mark.parametrize("module", [v1, v2])
@pytest.mark.parametrize("name", WARPS)
def test_random_warps_equal_torchvisions_to_the_bit(pool: Pool, name: str, module: Any) -> None:
    (op,) = lower(WARPS[name](module)).ops
    for number in range(40):
        image = drawn_image(number, 1 + number * 7 % 50, 1 + number * 11 % 61, number % 4 == 0)
        sizes = Sizes(np.array([image.height]), np.array([image.width]))
        columns = op.draw(Draws(4, 0, np.array([number])), 1, sizes)
        ops = [*flips((number % 2 == 0, number % 3 == 0)), (op, columns)]
        assert difference(pool, image, ops) == 0


REFUSED: dict[str, tuple[StepKind, tuple[int, ...], tuple[float, ...], str]] = {
    "no bits": (StepKind.POSTERIZE, (0,), (), "1 to 8 are possible"),
    "nine bits": (StepKind.POSTERIZE, (9,), (), "1 to 8 are possible"),
    "no threshold": (StepKind.SOLARIZE, (), (float("nan"),), "a number"),
    "box": (StepKind.WARP, (4,), (1, 0, 0, 0, 1, 0), "interpolation 4"),
    "far": (StepKind.WARP, (0,), (1, 0, 1e12, 0, 1, 0), "too far outside"),
    "steep": (StepKind.WARP, (2,), (1e12, 0, 0, 0, 1, 0), "too far outside"),
    "no matrix": (StepKind.WARP, (0,), (1, float("nan"), 0, 0, 1, 0), "too far outside"),
    "even kernel": (StepKind.BLUR, (3, 4), (1.0,), "must be odd"),
    "no kernel": (StepKind.BLUR, (-1, 3), (1.0,), "must be odd"),
    "wide kernel": (StepKind.BLUR, (61, 3), (1.0,), "too large for an image of 30 x 20"),
    "tall kernel": (StepKind.BLUR, (3, 41), (1.0,), "too large for an image of 30 x 20"),
    "no sigma": (StepKind.BLUR, (3, 3), (0.0,), "must be above 0"),
    "endless sigma": (StepKind.BLUR, (3, 3), (float("inf"),), "must be above 0"),
    "unknown": (20, (), (), "step kind 20 is not known"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_out_of_range_is_refused(pool: Pool, name: str) -> None:
    kind, integers, floats, reason = REFUSED[name]
    records, block = empty_steps(1, 1)
    block.kind[0, 0] = kind
    block.i[0, 0, : len(integers)] = integers
    block.f[0, 0, : len(floats)] = floats
    assert reason in computed(pool, drawn_image(2, 20, 30, False), records).failure


TRAINING: dict[str, list[Any]] = {
    "RandAugment": [v1.RandAugment()],
    "bilinear RandAugment": [v2.RandAugment(3, interpolation="bilinear", fill=(124, 116, 104))],
    "TrivialAugmentWide": [v2.TrivialAugmentWide()],
    "AutoAugment": [v1.AutoAugment(policy) for policy in v1.AutoAugmentPolicy],
    "single": [v2.RandomEqualize(), v1.RandomAdjustSharpness(2), v1.RandomInvert()],
    "now and then": [v1.RandomApply([v1.RandAugment(), v1.RandomPosterize(2)])],
}


@pytest.mark.parametrize("name", TRAINING)
def test_batches_are_those_of_the_torch_engine(small_pack: Path, name: str) -> None:
    before = [v1.RandomResizedCrop(40), v1.RandomHorizontalFlip()]
    transform = v1.Compose([*before, *TRAINING[name], v1.ToTensor()])
    batches = []
    for engine in ("native", "torch"):
        dataset = fastload.ImageFolder(small_pack, transform)
        loader = fastload.DataLoader(dataset, 8, seed=3, engine=engine, shuffle=True)
        batches.append(torch.cat([images for images, _ in loader]))
    assert torch.equal(*batches)


def test_a_kernel_too_large_for_an_image_costs_that_image(small_pack: Path) -> None:
    dataset = fastload.ImageFolder(small_pack, v1.Compose([v1.GaussianBlur(201), v1.ToTensor()]))
    loader = fastload.DataLoader(dataset, 1, seed=3)
    with pytest.raises(TransformError, match="take a smaller kernel"):
        next(iter(loader))
