"""What a page shows of a batch is what the loader gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

import fastload
from fastload.augment import Draws, lower
from fastload.native.library import jpeg_encode
from fastload.presets import PRESETS, preset
from fastload.survey import model
from fastload.survey.model import ModelBatch, batch_of, levels_of
from fastload.survey.presets import preset_pipeline


class Twice(torch.nn.Module):
    """What no engine knows: it runs per sample, and draws."""

    def forward(self, image: Any) -> Any:
        return image.float() / 255 * torch.rand(1)


TRANSFORMS = {
    **{name: preset(name) for name in PRESETS},
    "colours": v2.Compose(
        [v2.RandomResizedCrop(32), v2.ColorJitter(0.4, 0.4, 0.4, 0.1), v2.ToImage()]
    ),
    "per sample": v2.Compose([v2.RandomResizedCrop(32), v2.PILToTensor(), Twice()]),
    "images": v2.RandomHorizontalFlip(),
}


def shown(pack: Path, transform: Any, **options: Any) -> ModelBatch:
    dataset = fastload.ImageFolder(pack)
    chosen = {"count": 12, "balance": "none", "seed": 3, "threads": 2, **options}
    return batch_of(dataset, lower(transform), **chosen)


@pytest.mark.parametrize("balance", ["none", "class", "sqrt"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_it_is_the_loaders_own_batch(small_pack: Path, name: str, balance: str) -> None:
    transform = TRANSFORMS[name]
    batch = shown(small_pack, transform, balance=balance, epoch=2)
    dataset = fastload.ImageFolder(small_pack, transform)
    loader = fastload.DataLoader(
        dataset, 12, shuffle=True, balance=balance, seed=3, collate_fn=list, num_workers=1
    )
    loader.set_epoch(2)
    given = next(iter(loader))
    assert len(batch.samples) == 12 and not batch.failures
    output = None if name == "per sample" else dataset.pipeline.output
    for one, (sample, label) in zip(batch.samples, given, strict=True):
        assert dataset.targets[one.sample] == label
        levels, _ = levels_of(sample, output)
        assert levels is not None
        assert one.picture == jpeg_encode(levels, model._QUALITY)


def test_what_runs_per_sample_is_named(small_pack: Path) -> None:
    batch = shown(small_pack, TRANSFORMS["per sample"])
    assert batch.suffix == ["Twice()"]
    assert {one.note for one in batch.samples} == {"values from 0 to 1"}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_what_lowering_gives(name: str) -> None:
    own, lowered = preset_pipeline(name), lower(preset(name))
    assert own.output.container == lowered.output.container
    assert torch.equal(own.output.table, lowered.output.table)
    sizes = np.array([500, 375, 40]), np.array([333, 500, 900])
    draws = Draws(7, 1, np.arange(3))
    steps = [one.write_steps(one.plan(draws, *sizes)) for one in (own, lowered)]
    assert np.array_equal(*steps)
    assert own.suffix == lowered.suffix == ()


def test_normalisation_is_undone() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).repeat(3, 2, 1)
    transform = v2.Compose(
        [
            v2.ToImage(),
            v2.ToDtype(torch.float16, scale=True),
            v2.Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.1)),
        ]
    )
    values = transform(v2.functional.to_pil_image(pixels))
    levels, note = levels_of(values, lower(transform).output)
    assert levels is not None
    # 16 bits tell most levels apart, not all.
    assert np.abs(levels.astype(int) - pixels.permute(1, 2, 0).numpy()).max() <= 1
    assert note == "shown before normalisation"


def test_values_of_unknown_making_are_stretched() -> None:
    values = torch.tensor([-2.0, 0.0, 2.0]).expand(3, 1, 3)
    levels, note = levels_of(values, None)
    assert levels is not None
    assert levels[0, :, 0].tolist() == [0, 128, 255]
    assert note == "values from -2.00 to 2.00, stretched to be shown"
    assert levels_of(torch.zeros(5), None) == (
        None,
        "a tensor of shape (5,), which cannot be shown",
    )
    assert levels_of("text", None) == (None, "a str, which cannot be shown")


def test_a_damaged_image_leaves_the_others(copy: Path) -> None:
    pack = fastload.ImageFolder(copy).pack
    with pack.shard_file(0).open("r+b") as file:
        file.seek(int(pack.index.offset[4]) + 20)
        file.write(b"damage!!")
    batch = shown(copy, preset("train"), count=22)
    assert len(batch.samples) == 21 and len(batch.failures) == 1
    assert pack.index.path(4) in batch.failures[0]
    dataset = fastload.ImageFolder(copy)
    assert 4 not in [dataset.record(one.sample) for one in batch.samples]
