"""The DALI engine's pixels, operation by operation, against the torch and the native engine's.

Inside an image, resizing is within 1 level of Pillow's; on the border, as far as the filter
reaches, DALI repeats the last pixel where Pillow leaves out what is not there. All other
operations work on images that were not resized, so that their own difference is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode as Filter

import fastload

pytest.importorskip("nvidia.dali")

BOX = v2.CenterCrop(96)

# Name: transforms, then the levels that 99.9 % of the values keep to, and those that all do.
EXACT: dict[str, tuple[list[Any], float, float]] = {
    "crop": ([BOX], 0, 0),
    "crop beyond the image": ([v2.CenterCrop(300)], 0, 0),
    "random crop": ([v2.RandomCrop(90, pad_if_needed=True, fill=(9, 8, 7))], 0, 0),
    "random crop, padded": ([v2.RandomCrop(96, padding=20, pad_if_needed=True)], 0, 0),
    "random crop, reflected": (
        [BOX, v2.RandomCrop(96, padding=20, padding_mode="reflect")],
        0,
        0,
    ),
    "pad": ([BOX, v2.Pad((3, 5, 7, 2), fill=(1, 2, 3))], 0, 0),
    "pad, edge": ([BOX, v2.Pad((3, 5, 7, 2), padding_mode="edge")], 0, 0),
    "pad, reflect": ([BOX, v2.Pad((3, 5, 7, 2), padding_mode="reflect")], 0, 0),
    "pad, symmetric": ([BOX, v2.Pad((3, 5, 7, 2), padding_mode="symmetric")], 0, 0),
    "flips": ([BOX, v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()], 0, 0),
    "flip in between": ([BOX, v2.RandomHorizontalFlip(), v2.Pad((0, 0, 5, 0))], 0, 0),
    "brightness": ([BOX, v2.ColorJitter(0.5)], 0, 0),
    "contrast": ([BOX, v2.ColorJitter(0, 0.5)], 1, 1),
    "saturation": ([BOX, v2.ColorJitter(0, 0, 0.5)], 1, 1),
    # One of the 256 hues is up to six levels of a channel.
    "hue": ([BOX, v2.ColorJitter(0, 0, 0, 0.5)], 2, 7),
    "jitter": ([BOX, v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], 4, 16),
    "now and then": ([BOX, v2.RandomApply([v2.ColorJitter(0.4, 0.4)], p=0.5)], 2, 3),
    "grey": ([BOX, v2.RandomGrayscale(0.5)], 1, 1),
    "grey, one channel": ([BOX, v2.Grayscale(1)], 1, 1),
    "blur": ([BOX, v2.GaussianBlur((5, 9), (0.1, 3.0))], 1, 1),
    "inverted": ([BOX, v2.RandomInvert(0.5)], 0, 0),
    "posterized": ([BOX, v2.RandomPosterize(3, 0.5)], 0, 0),
    "solarized": ([BOX, v2.RandomSolarize(100, 0.5)], 0, 0),
    "autocontrast": ([BOX, v2.RandomAutocontrast(1.0)], 1, 1),
    "equalized": ([BOX, v2.RandomEqualize(1.0)], 1, 2),
    "equalized, few pixels": ([v2.CenterCrop(32), v2.RandomEqualize(1.0)], 2, 2),
    "sharper": ([BOX, v2.RandomAdjustSharpness(1.9, 1.0)], 1, 1),
    "softer": ([BOX, v2.RandomAdjustSharpness(0.1, 1.0)], 1, 1),
    # A warp's nearest pixel is another one where two are equally near but for a last bit.
    "RandAugment": ([BOX, v2.RandAugment()], 2, 255),
    "RandAugment, filled": ([BOX, v2.RandAugment(fill=128)], 2, 255),
    "TrivialAugmentWide": ([BOX, v2.TrivialAugmentWide()], 2, 255),
    "AutoAugment": ([BOX, v2.AutoAugment()], 2, 255),
    "erased": ([BOX, v2.PILToTensor(), v2.RandomErasing(1.0, value=9)], 0, 0),
}

FILTERS = {Filter.BILINEAR: 1, Filter.BICUBIC: 2, Filter.LANCZOS: 3}
"""Pixels at the border that the filter of an enlargement or reduction reaches beyond it for."""


@pytest.fixture(autouse=True)
def dali_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU. Pixels of the native decoder enter the same graph: the contracts hold them."""
    monkeypatch.setattr("fastload.engines.dali.engine.decodes_files", lambda device: True)


@pytest.fixture(autouse=True)
def no_help(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What DALI fails on, the native engine computes: that is no test of DALI."""
    yield
    assert not [record for record in caplog.records if "DALI has failed" in record.message]


def images_of(pack: Path, engine: str, transforms: list[Any], tail: list[Any]) -> torch.Tensor:
    dataset = fastload.ImageFolder(pack, v2.Compose([*transforms, *tail]))
    loader = fastload.DataLoader(dataset, 8, shuffle=True, seed=5, engine=engine, num_workers=2)
    images = torch.cat([batch for batch, _ in loader])
    loader.close()
    return images


def differences(one: torch.Tensor, other: torch.Tensor) -> np.ndarray[Any, Any]:
    assert one.shape == other.shape and one.dtype == other.dtype
    return (one.double() - other.double()).abs().numpy()


@pytest.mark.parametrize("oracle", ["torch", "native"])
@pytest.mark.parametrize("name", EXACT)
def test_operations(small_pack: Path, name: str, oracle: str) -> None:
    transforms, typical, most = EXACT[name]
    tail = [] if any(isinstance(one, v2.PILToTensor) for one in transforms) else [v2.PILToTensor()]
    found = differences(
        images_of(small_pack, "dali", transforms, tail),
        images_of(small_pack, oracle, transforms, tail),
    )
    assert np.percentile(found, 99.9) <= typical
    assert found.max() <= most


@pytest.mark.real_data
@pytest.mark.parametrize("side", [64, 224, 600])
@pytest.mark.parametrize("kernel", FILTERS)
def test_resizing_inside_the_image(photo_pack: Path, kernel: Filter, side: int) -> None:
    transforms = [v2.RandomResizedCrop(side, interpolation=kernel)]
    found = differences(
        images_of(photo_pack, "dali", transforms, [v2.PILToTensor()]),
        images_of(photo_pack, "torch", transforms, [v2.PILToTensor()]),
    )
    # Enlarged, the border is as wide as the enlargement makes it.
    border = FILTERS[kernel] * (1 if side < 300 else 8)
    inside = found[:, :, border:-border, border:-border]
    # Pillow cuts to 0 and 255 between its two passes: where a filter overshoots, that is seen.
    assert np.percentile(inside, 99.9) <= (3 if kernel is Filter.LANCZOS else 1)
    assert inside.max() <= (1 if kernel is Filter.BILINEAR else 40)
    assert found.mean() <= 0.3


@pytest.fixture(scope="module")
def photo_pack(real_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for photo in sorted(real_photos.rglob("*.*"))[::20]:
        target = folder / "some" / photo.parent.name
        target.mkdir(parents=True, exist_ok=True)
        (target / photo.name).write_bytes(photo.read_bytes())
    return fastload.pack(folder / "some", folder / "some.pack", workers=2).path


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_values(small_pack: Path, dtype: torch.dtype, memory_format: torch.memory_format) -> None:
    """Of equal levels, the table's values to two units in the last place."""
    normalised = v2.Compose(
        [
            BOX,
            v2.RandomHorizontalFlip(),
            v2.ToImage(),
            v2.ToDtype(dtype, scale=True),
            v2.Normalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.25]),
        ]
    )
    dali, native = (
        next(
            iter(
                fastload.DataLoader(
                    fastload.ImageFolder(small_pack, normalised),
                    8,
                    seed=1,
                    engine=engine,
                    memory_format=memory_format,
                )
            )
        )[0]
        for engine in ("dali", "native")
    )
    assert dali.stride() == native.stride() and dali.dtype == dtype
    assert differences(dali, native).max() <= 2 * torch.finfo(dtype).eps * 4


def test_a_table_that_is_no_line(small_pack: Path) -> None:
    """Values that saturate are looked up one by one, and exact."""
    solarised = [
        BOX,
        v2.RandomHorizontalFlip(),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([0.5] * 3, [1e-3] * 3),
        v2.ToDtype(torch.uint8, scale=False),
    ]
    dali, native = (images_of(small_pack, engine, solarised, []) for engine in ("dali", "native"))
    assert torch.equal(dali, native)
