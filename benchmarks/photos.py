"""The photos that everything is measured on."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FULL, SMOKE = 1000, 24
CLASSES = 4
JPEG_QUALITY = 90


@dataclass(frozen=True)
class Photos:
    """A label folder and what a table says of it."""

    folder: Path
    name: str
    images: int
    bytes: int
    mean_width: float
    mean_height: float

    def __str__(self) -> str:
        return (
            f"{self.images} photos of {self.name}, {self.bytes / 1e6:.1f} MB, "
            f"mean {self.mean_width:.0f}x{self.mean_height:.0f}"
        )


def describe(folder: Path, name: str) -> Photos:
    """Count and measure a label folder; only headers are read."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    sizes = []
    for file in files:
        with Image.open(file) as image:
            sizes.append(image.size)
    width, height = np.mean(sizes, axis=0)
    return Photos(folder, name, len(files), sum(f.stat().st_size for f in files), width, height)


def real_photos() -> Path | None:
    """``imagenet-lt20`` in ``$FASTLOAD_TEST_DATA`` or in ``../shared/data``, if it is there."""
    data = Path(os.environ.get("FASTLOAD_TEST_DATA", ROOT.parent / "shared" / "data"))
    folder = data / "imagenet-lt20"
    return folder if folder.is_dir() else None


def cut_photos(folder: Path, images: int) -> None:
    """Fill a label folder with JPEGs cut at random places from scikit-learn's two sample photos."""
    from sklearn.datasets import load_sample_images

    sources = load_sample_images().images
    rng = np.random.default_rng(0)
    for number in range(images):
        source = sources[number % len(sources)]
        height, width = (int(rng.integers(side // 2, side + 1)) for side in source.shape[:2])
        top, left = (
            int(rng.integers(0, whole - part + 1))
            for whole, part in zip(source.shape, (height, width), strict=False)
        )
        target = folder / f"class_{number % CLASSES}" / f"{number:05d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        cut = Image.fromarray(source[top : top + height, left : left + width])
        cut.save(target, quality=JPEG_QUALITY)


def write_png(photos: Path, folder: Path) -> None:
    """Write the photos as PNG files of the same pixels, under the same names."""

    def write(file: Path) -> None:
        target = (folder / file.relative_to(photos)).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(file) as image:
            image.convert("RGB").save(target)

    with ThreadPoolExecutor() as threads:
        for _ in threads.map(write, (file for file in photos.rglob("*") if file.is_file())):
            pass


def label_folder(smoke: bool, scratch: Path) -> Photos:
    """The real photos; without them as many cut ones; two dozen cut ones for a smoke run."""
    real = None if smoke else real_photos()
    if real is not None:
        return describe(real, real.name)
    folder = scratch / "photos"
    cut_photos(folder, SMOKE if smoke else FULL)
    return describe(folder, "cuts of scikit-learn's sample photos")
