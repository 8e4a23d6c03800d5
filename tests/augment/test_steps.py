"""The step records say the same as the operations they were made from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from torchvision import transforms as v1
from torchvision.transforms import functional

from fastload.augment import Draws, lower
from fastload.augment.steps import STEP, StepKind
from tests.conftest import picture

IMAGES = 12
PAD_MODES = ("constant", "edge", "reflect", "symmetric")


def interpreted(image: Image.Image, steps: np.ndarray) -> Image.Image:  # noqa: C901 (a case a kind)
    """Run step records as docstrings tell, by Pillow."""
    for step in steps:
        i, f = step["i"].tolist(), step["f"].tolist()
        match StepKind(step["kind"]):
            case StepKind.NONE:
                pass
            case StepKind.CROP:
                image = image.crop((i[1], i[0], i[1] + i[3], i[0] + i[2]))
            case StepKind.RESIZE:
                image = image.resize((i[1], i[0]), i[2])
            case StepKind.HFLIP:
                image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            case StepKind.VFLIP:
                image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
            case StepKind.PAD:
                fill = tuple(int(level) for level in f[:3])
                image = functional.pad(image, i[:4], fill, PAD_MODES[i[4]])
            case StepKind.BRIGHTNESS:
                image = ImageEnhance.Brightness(image).enhance(f[0])
            case StepKind.CONTRAST:
                image = ImageEnhance.Contrast(image).enhance(f[0])
            case StepKind.SATURATION:
                image = ImageEnhance.Color(image).enhance(f[0])
            case StepKind.HUE:
                image = functional.adjust_hue(image, f[0])
            case StepKind.GRAYSCALE:
                image = image.convert("L").convert("RGB")
            case StepKind.WARP:
                affine = Image.Transform.AFFINE
                image = image.transform(image.size, affine, f, i[0], fillcolor=tuple(i[1:4]))
            case StepKind.SHARPNESS:
                image = ImageEnhance.Sharpness(image).enhance(f[0])
            case StepKind.POSTERIZE:
                image = ImageOps.posterize(image, i[0])
            case StepKind.SOLARIZE:
                image = ImageOps.solarize(image, f[0])
            case StepKind.INVERT:
                image = ImageOps.invert(image)
            case StepKind.AUTOCONTRAST:
                image = ImageOps.autocontrast(image)
            case StepKind.EQUALIZE:
                image = ImageOps.equalize(image)
            case StepKind.BLUR:
                image = functional.gaussian_blur(image, i[:2], [f[0], f[0]])
            case kind:
                raise AssertionError(kind)
    return image


TRANSFORMS: dict[str, list[Any]] = {
    "nothing": [],
    "train": [v1.RandomResizedCrop(24), v1.RandomHorizontalFlip(), v1.RandomVerticalFlip()],
    "evaluate": [v1.Resize(30, max_size=40), v1.CenterCrop((20, 50))],
    "jitter": [v1.ColorJitter(0.4, 0.4, 0.4, 0.2)],
    "some jitter": [v1.ColorJitter(contrast=0.4), v1.RandomGrayscale(0.5)],
    "now and then": [v1.RandomApply([v1.ColorJitter(0.4), v1.RandomVerticalFlip()], p=0.5)],
    "constant crop": [v1.RandomCrop(50, padding=3, pad_if_needed=True, fill=(9, 8, 7))],
    "reflected crop": [v1.RandomCrop(50, padding=3, pad_if_needed=True, padding_mode="reflect")],
    "augmentations": [v1.RandAugment(4), v1.GaussianBlur((5, 3))],
    "wide": [v1.TrivialAugmentWide(fill=(3, 99, 200)), v1.RandomPosterize(3, 0.5)],
    "policies": [
        v1.AutoAugment(policy, v1.InterpolationMode.BILINEAR) for policy in v1.AutoAugmentPolicy
    ],
    "pads": [v1.Pad((1, 2, 3, 4), 5), v1.Pad(6, padding_mode="edge"), v1.Grayscale(3)],
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_records_and_operations_agree(name: str) -> None:
    pipeline = lower(v1.Compose(TRANSFORMS[name]) if TRANSFORMS[name] else None)
    rng = np.random.default_rng(2)
    heights, widths = rng.integers(30, 70, (2, IMAGES))
    plan = pipeline.plan(Draws(4, 0, np.arange(IMAGES)), heights, widths)
    records = pipeline.write_steps(plan)
    assert records.dtype == STEP and records.shape[0] == IMAGES
    for row in range(IMAGES):
        image = Image.fromarray(picture(rng, int(heights[row]), int(widths[row])))
        expected = image
        for op, columns in zip(pipeline.ops, plan.columns, strict=True):
            expected = op.apply(expected, columns, row)
        found = interpreted(image, records[row])
        assert found.size == (plan.widths[row], plan.heights[row])
        assert found.tobytes() == expected.tobytes()


def test_erasing_records() -> None:
    erasing = v1.RandomErasing(p=0.5, value=(1.0, 0.5, 0.25))
    pipeline = lower(v1.Compose([v1.ToTensor(), erasing]))
    sizes = np.full(IMAGES, 40), np.full(IMAGES, 50)
    plan = pipeline.plan(Draws(4, 0, np.arange(IMAGES)), *sizes)
    records = pipeline.write_steps(plan)[:, 0]
    columns = plan.columns[0]
    assert (records["kind"] == np.where(columns["erase"], StepKind.ERASE, 0)).all()
    for place, name in enumerate(("top", "left", "height", "width")):
        assert (records["i"][:, place] == columns[name]).all()
    assert (records["f"][:, :3] == (1.0, 0.5, 0.25)).all()
