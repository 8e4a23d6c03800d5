"""Crops as RandomResizedCrop draws them, cut once so that every resize works on the same pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

SCALE, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)


def cut_crops(photos: Path, count: int, target: Path) -> tuple[float, float]:
    """Cut ``count`` crops into one ``.npz``, evenly over the photos; mean height and width.

    The boxes are torchvision's own draws, with a fixed seed.
    """
    import torch
    from torchvision.transforms import RandomResizedCrop

    files = sorted(file for file in photos.rglob("*") if file.is_file())
    crops = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for file in files[:: max(1, len(files) // count)][:count]:
            photo = Image.open(file).convert("RGB")
            top, left, height, width = RandomResizedCrop.get_params(photo, SCALE, RATIO)
            crops.append(np.asarray(photo.crop((left, top, left + width, top + height))))
    np.savez(target, *crops)
    heights, widths = zip(*(crop.shape[:2] for crop in crops), strict=True)
    return float(np.mean(heights)), float(np.mean(widths))


def read_crops(path: str) -> list[npt.NDArray[np.uint8]]:
    """The crops of ``cut_crops``: uint8 arrays (height, width, 3)."""
    with np.load(path) as crops:
        return [crops[name] for name in crops.files]
