"""Copies that somebody wrote into the folder when augmenting: never on both sides of a split."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import fastload

PHOTOS_PER_CLASS = 5


def save_with_copies(photo: Path, folder: Path) -> None:
    """A photo, mirrored, turned and saved with less quality, all under its own name."""
    folder.mkdir(parents=True, exist_ok=True)
    with Image.open(photo) as opened:
        image = opened.convert("RGB")
    copies = {
        "original": (image, 95),
        "mirrored": (image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 90),
        "turned": (image.transpose(Image.Transpose.ROTATE_90), 90),
        "resaved": (image, 60),
    }
    for name, (copy, quality) in copies.items():
        copy.save(folder / f"{photo.stem}+{name}.jpg", quality=quality)


def originals(dataset: fastload.ImageFolder) -> set[str]:
    return {path.rpartition("+")[0] for path, _ in dataset.samples}


@pytest.mark.real_data
def test_no_copy_is_on_the_other_side(real_photos: Path, tmp_path: Path) -> None:
    for folder in sorted(real_photos.iterdir()):
        for photo in sorted(folder.iterdir())[:PHOTOS_PER_CLASS]:
            save_with_copies(photo, tmp_path / "data" / folder.name)
    pack = fastload.pack(tmp_path / "data").path
    fastload.folds(pack, 4).save()
    fastload.holdout(pack, 0.25).save()
    for name, folds in (("folds4", 4), ("holdout25", 1)):
        for fold in range(folds):
            train, val = (
                fastload.ImageFolder(pack, split=name, fold=fold, part=part)
                for part in ("train", "val")
            )
            assert len(val) > 0 and set(train.targets) == set(range(20))
            assert not originals(train) & originals(val)
