"""What all entrants share: photos, packs, device, batch, and what is done to an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torchvision.transforms import v2

import fastload
from fastload.presets import MEAN, STD

PACKINGS: dict[str, dict[str, Any]] = {
    "seekable": {"codec": "jpeg"},
    "verbatim": {"verbatim": True},
    "dct": {"codec": "dct"},
}


@dataclass(frozen=True)
class Setting:
    """What all entrants share.

    Attributes:
        photos: a label folder of JPEG files.
        packs: of the same photos, by the names of ``PACKINGS``.
        device: where batches are wanted.
        batch: images.
        side: of a batch's images, in pixels.
        epochs: that are timed.
    """

    photos: Path
    packs: dict[str, Path]
    device: torch.device
    batch: int
    side: int
    epochs: int

    @property
    def on_gpu(self) -> bool:
        """Whether this is a measurement and no trial."""
        return self.device.type == "cuda"

    def transform(self) -> v2.Compose:
        """Crop, flip, normalise: to bfloat16 of shape (3, side, side)."""
        return v2.Compose(
            [
                v2.RandomResizedCrop(self.side),
                v2.RandomHorizontalFlip(),
                v2.ToImage(),
                v2.ToDtype(torch.bfloat16, scale=True),
                v2.Normalize(MEAN, STD),
            ]
        )

    def wait(self) -> None:
        """Until the device has done all that was begun."""
        if self.on_gpu:
            torch.cuda.synchronize(self.device)


def pack_all(photos: Path, folder: Path) -> dict[str, Path]:
    """Packs of the photos, one for each of ``PACKINGS``."""
    return {
        name: fastload.pack(photos, folder / f"{name}.pack", **options).path
        for name, options in PACKINGS.items()
    }
