"""RandAugment and its kin are drawn as torchvision draws them, and lowered where they can be."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import transforms as v1
from torchvision.transforms import InterpolationMode, autoaugment, v2

from fastload.augment import Draws, lower
from fastload.augment.auto_augment import (
    KINDS_OF_TORCHVISION,
    AugmentKind,
    AutoAugmentation,
    RandomAugmentation,
)
from tests.augment.test_distributions import assert_same_distribution
from tests.augment.test_lowering import photo, rendered

DRAWS = 4000
HEIGHT, WIDTH = 37, 50

Slots = tuple[tuple[AugmentKind, float], ...]
Drawn = list[Slots]

POLICIES = list(v1.AutoAugmentPolicy)
AUTOMATIC: dict[str, Any] = {
    "RandAugment": lambda module: module.RandAugment(),
    "stronger RandAugment": lambda module: module.RandAugment(3, 6, num_magnitude_bins=8),
    "last bin": lambda module: module.RandAugment(1, -1, num_magnitude_bins=10),
    "TrivialAugmentWide": lambda module: module.TrivialAugmentWide(),
    "five bins": lambda module: module.TrivialAugmentWide(num_magnitude_bins=5),
    **{
        policy.value: lambda module, policy=policy: module.AutoAugment(policy)
        for policy in POLICIES
    },
}


def drawn_by_us(transform: Any) -> Drawn:
    plan = lower(transform).plan(
        Draws(3, 0, np.arange(DRAWS)), np.full(DRAWS, HEIGHT), np.full(DRAWS, WIDTH)
    )
    columns = plan.columns[0]
    pairs = zip(columns["kind"].tolist(), columns["magnitude"].tolist(), strict=True)
    return [
        tuple((AugmentKind(kind), size) for kind, size in zip(*pair, strict=True) if kind)
        for pair in pairs
    ]


def drawn_by_torchvision(transform: Any, monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """What it would apply; identities are left out, as an operation left undone is one."""
    recorded: list[tuple[AugmentKind, float]] = []

    def record(image: Any, name: str, magnitude: float, *rest: Any, **named: Any) -> Any:
        kind = KINDS_OF_TORCHVISION[name]
        if kind == AugmentKind.SOLARIZE and isinstance(transform, v2.Transform):
            magnitude *= 255.0
        if kind:
            recorded.append((kind, magnitude))
        return image

    monkeypatch.setattr(autoaugment, "_apply_op", record)
    if isinstance(transform, v2.Transform):
        monkeypatch.setattr(transform, "_apply_image_or_video_transform", record)
    image = photo(HEIGHT, WIDTH)
    torch.manual_seed(8)
    drawn = []
    for _ in range(DRAWS):
        recorded.clear()
        transform(image)
        drawn.append(tuple(recorded))
    return drawn


def assert_same_frequencies(ours: Counter[Any], theirs: Counter[Any]) -> None:
    """Two-sample chi-square test at the 0.1 % level; what is rare is one category."""
    total = ours + theirs
    common = [one for one, count in total.items() if count >= 20]
    pairs = [(ours[one], theirs[one]) for one in common]
    rare = DRAWS - sum(a for a, _ in pairs), DRAWS - sum(b for _, b in pairs)
    if sum(rare) >= 20:
        pairs.append(rare)
    chi_square = sum((a - b) ** 2 / (a + b) for a, b in pairs)
    freedom = len(pairs) - 1
    # Wilson and Hilferty's approximation of the quantile.
    critical = freedom * (1 - 2 / (9 * freedom) + 3.09 * math.sqrt(2 / (9 * freedom))) ** 3
    assert chi_square < critical


def first_augmentation(slots: Slots) -> Slots:
    return slots[:1]


def first_two_kinds(slots: Slots) -> tuple[AugmentKind, ...]:
    return tuple(kind for kind, _ in slots[:2])


@pytest.mark.parametrize("module", [v1, v2])
@pytest.mark.parametrize("name", AUTOMATIC)
def test_draws_are_torchvisions(name: str, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    transform = AUTOMATIC[name](module)
    ours, theirs = drawn_by_us(transform), drawn_by_torchvision(transform, monkeypatch)
    single = [Counter(one for slots in drawn for one in slots) for drawn in (ours, theirs)]
    # Magnitudes agree to the last bit. Of TrivialAugmentWide's 850 pairs chance leaves out a few.
    pairs = set(single[0]), set(single[1])
    assert len(pairs[0] ^ pairs[1]) <= len(pairs[0] | pairs[1]) / 20
    for category in (first_augmentation, first_two_kinds):
        assert_same_frequencies(*(Counter(map(category, drawn)) for drawn in (ours, theirs)))


def test_translations_follow_the_size_of_each_image() -> None:
    heights, widths = np.array([40, 400, 33] * 200), np.array([90, 30, 61] * 200)
    for transform in (v1.RandAugment(4), v2.RandAugment(4)):
        columns = lower(transform).plan(Draws(5, 0, np.arange(600)), heights, widths).columns[0]
        for kind, sides in ((AugmentKind.TRANSLATE_X, widths), (AugmentKind.TRANSLATE_Y, heights)):
            rows, slots = np.nonzero(columns["kind"] == kind)
            reach = [float(torch.linspace(0, 150 / 331 * side, 31)[9]) for side in sides[rows]]
            assert (np.abs(columns["magnitude"][rows, slots]) == reach).all()


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_operations_are_those_of_the_v2_class(interpolation: str) -> None:
    transform = v2.TrivialAugmentWide(
        interpolation=InterpolationMode(interpolation), fill=(200, 100, 50)
    )
    pipeline = lower(transform)
    (op,), image = pipeline.ops, photo(41, 60)
    columns = pipeline.plan(
        Draws(2, 0, np.arange(300)), np.full(300, 41), np.full(300, 60)
    ).columns[0]
    seen = set()
    for row in range(300):
        kind, magnitude = AugmentKind(columns["kind"][row, 0]), float(columns["magnitude"][row, 0])
        seen.add(kind)
        name = {kind: name for name, kind in KINDS_OF_TORCHVISION.items()}[kind]
        scaled = magnitude / 255 if kind == AugmentKind.SOLARIZE else magnitude
        expected = transform._apply_image_or_video_transform(
            image, name, scaled, transform.interpolation, transform._fill
        )
        assert op.apply(image, columns, row).tobytes() == expected.tobytes(), (kind, magnitude)
    assert len(seen) == 14


SINGLE: dict[str, Any] = {
    "invert": lambda module: module.RandomInvert(1.0),
    "posterize": lambda module: module.RandomPosterize(3, 1.0),
    "solarize": lambda module: module.RandomSolarize(99.5, 1.0),
    "autocontrast": lambda module: module.RandomAutocontrast(1.0),
    "equalize": lambda module: module.RandomEqualize(1.0),
    "sharper": lambda module: module.RandomAdjustSharpness(2.5, 1.0),
    "smoother": lambda module: module.RandomAdjustSharpness(0.2, 1.0),
    "blur": lambda module: module.GaussianBlur((5, 3), 1.3),
}


@pytest.mark.parametrize("module", [v1, v2])
@pytest.mark.parametrize("name", SINGLE)
def test_single_operations_equal_torchvisions(name: str, module: Any) -> None:
    transform = SINGLE[name](module)
    image = photo(31, 44)
    expected = v1.functional.pil_to_tensor(transform(image))
    on_images = rendered(v1.Compose([transform, v1.PILToTensor()]), image)
    difference = (on_images.int() - expected.int()).abs().max()
    # v2 computes a blur's kernel in another way, to other last bits.
    assert difference <= (name == "blur")
    on_tensor = transform(v1.functional.pil_to_tensor(image))
    after_conversion = rendered(v1.Compose([v1.PILToTensor(), transform]), image)
    assert (after_conversion.int() - on_tensor.int()).abs().max() <= 1


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_single_operations_come_by_chance(probability: float) -> None:
    transforms = [v1.RandomInvert, v2.RandomEqualize, v1.RandomAutocontrast]
    for transform in transforms:
        drawn = drawn_by_us(transform(probability))
        share = sum(map(bool, drawn)) / DRAWS
        assert abs(share - probability) <= 4 * math.sqrt(probability * (1 - probability) / DRAWS)


def test_blurs_sigma_is_uniform() -> None:
    plan = lower(v1.GaussianBlur(3, (0.5, 2.0))).plan(
        Draws(1, 0, np.arange(DRAWS)), np.full(DRAWS, 9), np.full(DRAWS, 9)
    )
    sigma = np.sort(plan.columns[0]["sigma"])
    expected = 0.5 + 1.5 * (np.arange(DRAWS) + 0.5) / DRAWS
    # Kolmogorov-Smirnov at the 0.1 % level.
    assert np.abs(sigma - expected).max() / 1.5 < 1.95 / math.sqrt(DRAWS)


@pytest.mark.parametrize("module", [v1, v2])
def test_affine_parameters_are_torchvisions(module: Any) -> None:
    transform = module.RandomAffine((-10, 30), (0.1, 0.4), (0.5, 1.25), (-5, 5, 10, 20))
    sizes = np.full(DRAWS, HEIGHT), np.full(DRAWS, WIDTH)
    columns = lower(transform).plan(Draws(3, 0, np.arange(DRAWS)), *sizes).columns[0]
    torch.manual_seed(4)
    theirs = [
        v1.RandomAffine.get_params(
            [-10, 30], [0.1, 0.4], [0.5, 1.25], [-5, 5, 10, 20], [WIDTH, HEIGHT]
        )
        for _ in range(DRAWS)
    ]
    table = np.array([(angle, *shift, scale, *shear) for angle, shift, scale, shear in theirs])
    names = ("angle", "across", "down", "scale", "shear_x", "shear_y")
    for place, name in enumerate(names):
        assert_same_distribution(columns[name], table[:, place])
    turning = lower(module.RandomRotation((-10, 30))).plan(Draws(9, 0, np.arange(DRAWS)), *sizes)
    assert_same_distribution(turning.columns[0]["angle"], table[:, 0])


def test_the_centre_of_a_warp_follows_the_resolution() -> None:
    resize = v1.Resize((40, 60))
    for warp in (v1.RandomRotation(9, center=(6, 8)), v1.RandomAffine(9, center=(6, 8))):
        small = lower(v1.Compose([resize, warp])).at_resolution(20, 120)
        assert small.ops[1].reading.center == (12, 4)


def test_an_image_too_small_for_the_kernel_is_named() -> None:
    plan = lower(v1.GaussianBlur((5, 9))).plan(
        Draws(1, 0, np.arange(4)), np.array([5, 4, 5, 9]), np.array([3, 3, 2, 9])
    )
    assert list(plan.failures) == [1, 2]
    assert "9 x 5 pixels is too large for an image of 4 x 3" in plan.failures[1]
    with pytest.raises(RuntimeError):
        v1.GaussianBlur((5, 9))(photo(4, 3))


BOX, BICUBIC = InterpolationMode.BOX, InterpolationMode.BICUBIC
NOT_LOWERED: dict[str, tuple[list[Any], str]] = {
    "on tensors": ([v2.ToImage(), v2.RandAugment()], "move it before the conversion"),
    "on floats": ([v1.ToTensor(), v1.TrivialAugmentWide()], "no longer 8-bit"),
    "blur of floats": ([v1.ToTensor(), v1.GaussianBlur(3)], "no longer 8-bit"),
    "box filter": ([v1.RandAugment(interpolation=BOX)], "nearest, bilinear, bicubic alone"),
    "fill by type": ([v2.AutoAugment(fill={torch.Tensor: 3})], "type of the sample"),
    "two fills": ([v1.RandAugment(fill=[1, 2])], "not one number or one a channel"),
    "colour on grey": ([v1.Grayscale(), v1.RandAugment(fill=[1, 2, 3])], "on grey"),
    "no such bin": ([v1.RandAugment(magnitude=31)], "none of its 31 bins"),
    "one bin": ([v1.RandAugment(magnitude=0, num_magnitude_bins=1)], "refuses to posterize"),
    "no bits": ([v1.RandomPosterize(0)], "keep 1 to 8"),
    "high threshold": ([v1.PILToTensor(), v1.RandomSolarize(256)], "above 255"),
    "growing": ([v1.RandomRotation(9, expand=True)], "leave it out"),
    "rotated tensors": ([v2.ToImage(), v2.RandomRotation(9)], "move it before the conversion"),
    "negative sharpness": ([v1.PILToTensor(), v1.RandomAdjustSharpness(-1)], "negative factor"),
    "after erasing": (
        [v1.PILToTensor(), v1.RandomErasing(), v1.RandomInvert()],
        "after RandomErasing",
    ),
}


@pytest.mark.parametrize("name", NOT_LOWERED)
def test_what_is_not_lowered_says_why(name: str) -> None:
    transforms, reason = NOT_LOWERED[name]
    pipeline = lower(v1.Compose(transforms))
    assert pipeline.suffix == (transforms[-1],)
    assert reason in str(pipeline.notes[-1].reason)


def test_arguments_are_carried() -> None:
    for fill, levels in (
        (None, (0, 0, 0)),
        (7, (7, 7, 7)),
        ([7], (7, 7, 7)),
        ((1, 2.9, 300), (1, 2, 255)),
    ):
        (op,) = lower(v1.RandAugment(5, interpolation=BICUBIC, fill=fill)).ops
        assert isinstance(op, AutoAugmentation)
        assert (op.slots, op.steps, op.interpolation, op.fill_levels) == (5, 5, 3, levels)
    assert lower(v2.RandAugment(0)).ops == ()
    assert lower(v2.AutoAugment(interpolation="bilinear")).ops[0].interpolation == 2
    assert lower(v2.AutoAugment(interpolation="nearest-exact")).ops[0].interpolation == 0
    assert lower(v2.AutoAugment(interpolation=2)).ops[0].interpolation == 2
    (single,) = lower(v1.RandomPosterize(4, 0.25)).ops
    assert isinstance(single, RandomAugmentation)
    assert (single.kind, single.magnitude, single.probability) == (AugmentKind.POSTERIZE, 4, 0.25)
