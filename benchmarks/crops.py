"""Crops of photos, cut once so that every resize works on the same pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torchvision.transforms import CenterCrop, RandomResizedCrop

SCALE, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)


def _some_photos(photos: Path, count: int) -> list[Image.Image]:
    """``count`` photos, evenly over the label folder."""
    files = sorted(file for file in photos.rglob("*") if file.is_file())
    return [
        Image.open(file).convert("RGB") for file in files[:: max(1, len(files) // count)][:count]
    ]


def cut_mean_crops(photos: Path, count: int, height: int, width: int, target: Path) -> None:
    """Cut the middle of ``count`` photos at one size into one ``.npz``; of smaller ones nothing."""
    middles = [
        CenterCrop((height, width))(photo)
        for photo in _some_photos(photos, count)
        if photo.height >= height and photo.width >= width
    ]
    np.savez(target, *map(np.asarray, middles))


def cut_crops(photos: Path, count: int, target: Path) -> tuple[float, float]:
    """Cut ``count`` crops as RandomResizedCrop draws them into one ``.npz``; mean height and width.

    The boxes are torchvision's own draws, with a fixed seed.
    """
    crops = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for photo in _some_photos(photos, count):
            top, left, height, width = RandomResizedCrop.get_params(photo, SCALE, RATIO)
            crops.append(np.asarray(photo.crop((left, top, left + width, top + height))))
    np.savez(target, *crops)
    heights, widths = zip(*(crop.shape[:2] for crop in crops), strict=True)
    return float(np.mean(heights)), float(np.mean(widths))


def read_crops(path: str) -> list[npt.NDArray[np.uint8]]:
    """The crops of ``cut_crops``: uint8 arrays (height, width, 3)."""
    with np.load(path) as crops:
        return [crops[name] for name in crops.files]
