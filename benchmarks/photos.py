"""The photos that everything is measured on, and what a table says of a label folder."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.variants import CLASSES, JPEG_QUALITY, image_files
from fastload.bench import results
from fastload.bench.quality import quality_of

ROOT = Path(__file__).resolve().parent.parent
FULL, SMOKE = 1000, 24


@dataclass(frozen=True)
class Photos(results.Photos):
    """A label folder and what a table says of it.

    Attributes:
        quality: formats, and of JPEG files the quality that their tables tell.

    """

    folder: Path

    def __str__(self) -> str:
        return (
            f"{self.images:,} images ({self.name}), {self.bytes / 1e6:.1f} MB, "
            f"mean {self.mean_width:.0f}x{self.mean_height:.0f}, {self.quality}"
        )

    def as_dict(self) -> dict[str, Any]:
        """All but the place, as JSON takes it."""
        return {field.name: getattr(self, field.name) for field in fields(results.Photos)}


def describe(folder: Path, name: str) -> Photos:
    """Count and measure a label folder; only headers are read."""
    files = image_files(folder)
    sizes, formats, qualities = [], Counter[str](), []
    for file in files:
        with Image.open(file) as image:
            sizes.append(image.size)
            formats[str(image.format)] += 1
            # Pillow has this attribute for JPEG alone.
            if tables := getattr(image, "quantization", None):
                qualities.append(quality_of(tables[min(tables)]))
    width, height = map(float, np.mean(sizes, axis=0))
    size = sum(file.stat().st_size for file in files)
    told = quality_words(formats, qualities)
    return Photos(name, len(files), size, width, height, told, folder)


def quality_words(formats: Counter[str], qualities: list[int]) -> str:
    """Formats, the commonest first, and the JPEG files' quality.

    >>> quality_words(Counter(JPEG=3, PNG=1), [75, 96, 96])
    'JPEG (quality 96, mixed 75-96) and PNG'
    """
    words = {name: name for name, _ in formats.most_common()}
    if qualities:
        low, high = min(qualities), max(qualities)
        mixed = "" if low == high else f", mixed {low}-{high}"
        words["JPEG"] = f"JPEG (quality {median(qualities):.0f}{mixed})"
    return " and ".join(words.values())


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


def label_folder(smoke: bool, scratch: Path) -> Photos:
    """The real photos; without them as many cut ones; two dozen cut ones for a smoke run."""
    real = None if smoke else real_photos()
    if real is not None:
        return describe(real, real.name)
    folder = scratch / "photos"
    cut_photos(folder, SMOKE if smoke else FULL)
    return describe(folder, "cuts of scikit-learn's sample photos")
