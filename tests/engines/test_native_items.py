"""What the native engine hands to its pool says the same as what the torch engine does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision.transforms import transforms as v1
from torchvision.transforms import v2

import fastload
from fastload.engines import native
from fastload.errors import RecordError
from tests.engines.interpreted_pool import InterpretedPool
from tests.test_dataset import damaged_copy

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
TRANSFORMS: dict[str, Any] = {
    "bytes": v1.Compose([v1.RandomResizedCrop(24), v1.PILToTensor()]),
    "floats": v1.Compose(
        [v1.Resize(40), v1.RandomCrop(32, padding=2), v1.ToTensor(), v1.Normalize(MEAN, STD)]
    ),
    "halves": v2.Compose(
        [v2.ToImage(), v2.CenterCrop((20, 30)), v2.ToDtype(torch.float16, scale=True)]
    ),
    "bfloat16": v2.Compose(
        [v2.PILToTensor(), v2.CenterCrop((20, 30)), v2.ToDtype(torch.bfloat16, scale=True)]
    ),
    "grey": v1.Compose([v1.CenterCrop(20), v1.Grayscale(), v1.ToTensor()]),
    "own sizes": v1.Compose([v1.RandomHorizontalFlip(), v1.ToTensor()]),
    "images": None,
}


@pytest.fixture(autouse=True)
def interpreted_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "Pool", InterpretedPool)


def served(pack: Path, transform: Any, engine: str, **kwargs: Any) -> list[tuple[Any, Any]]:
    dataset = fastload.ImageFolder(pack, transform)
    loader = fastload.DataLoader(
        dataset, 5, shuffle=True, collate_fn=list, engine=engine, seed=6, **kwargs
    )
    return [pair for batch in loader for pair in batch]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_engines_are_told_the_same(small_pack: Path, name: str) -> None:
    ours = served(small_pack, TRANSFORMS[name], "native")
    reference = served(small_pack, TRANSFORMS[name], "torch")
    for (image, label), (expected, other) in zip(ours, reference, strict=True):
        assert label == other
        if isinstance(expected, torch.Tensor):
            assert image.dtype == expected.dtype and torch.equal(image, expected)
        else:
            assert image.tobytes() == expected.tobytes() and image.size == expected.size


def test_files_that_only_pillow_reads(label_folder: Path, tmp_path: Path) -> None:
    pack = fastload.pack(label_folder, tmp_path / "verbatim.pack", verbatim=True, workers=2).path
    ours = served(pack, TRANSFORMS["floats"], "native")
    for (image, _), (expected, _) in zip(
        ours, served(pack, TRANSFORMS["floats"], "torch"), strict=True
    ):
        assert torch.equal(image, expected)


def test_a_failed_item_is_named(small_pack: Path, tmp_path: Path) -> None:
    broken = damaged_copy(small_pack, tmp_path, index=5)
    with pytest.raises(RecordError, match="checksum mismatch"):
        served(broken, TRANSFORMS["bytes"], "native")
    rest = served(broken, TRANSFORMS["bytes"], "native", on_error="skip")
    assert len(rest) == 21


def test_images_that_a_crop_cannot_take_are_left_out(small_pack: Path) -> None:
    transform = v1.Compose([v1.RandomCrop(60), v1.ToTensor()])
    ours = served(small_pack, transform, "native", on_error="skip")
    reference = served(small_pack, transform, "torch", on_error="skip")
    for (image, _), (expected, _) in zip(ours, reference, strict=True):
        assert torch.equal(image, expected)
