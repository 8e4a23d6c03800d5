"""Copies of photos as people make them: turned, encoded anew, brighter."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

ORIGINAL = "original"
_Image = Image.Image
_T = Image.Transpose


def photo(rng: np.random.Generator, height: int, width: int) -> Image.Image:
    """As much structure as a photo has, and another one at each call."""
    coarse = Image.fromarray(rng.integers(40, 200, (9, 9, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))
    noisy = smooth + rng.normal(0, 6, smooth.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def write_photos(root: Path, counts: dict[str, int], seed: int = 0) -> Path:
    """A label folder of PNG files that have nothing in common."""
    rng = np.random.default_rng(seed)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            height, width = (int(side) for side in rng.integers(60, 130, 2))
            photo(rng, height, width).save(root / name / f"{number}.png")
    return root


def _moved(how: Image.Transpose) -> Callable[[_Image], _Image]:
    return lambda image: image.transpose(how)


def _brightened(factor: float) -> Callable[[_Image], _Image]:
    return lambda image: ImageEnhance.Brightness(image).enhance(factor)


def _smaller(image: _Image) -> _Image:
    sides = (max(8, image.width * 2 // 3), max(8, image.height * 2 // 3))
    return image.resize(sides, Image.Resampling.BILINEAR)


# Each kind, and what its images are made by; then they are saved as JPEG of Pillow's quality, 75.
KINDS: dict[str, Callable[[_Image], _Image]] = {
    "mirrored": _moved(_T.FLIP_LEFT_RIGHT),
    "upside down": _moved(_T.FLIP_TOP_BOTTOM),
    "turned by 180°": _moved(_T.ROTATE_180),
    "turned left": _moved(_T.ROTATE_90),
    "turned right": _moved(_T.ROTATE_270),
    "transposed": _moved(_T.TRANSPOSE),
    "transposed, turned by 180°": _moved(_T.TRANSVERSE),
    "quality 60": lambda image: image,
    "smaller": _smaller,
    "darker": _brightened(0.8),
    "brighter": _brightened(1.2),
}


def write_copies(photos: list[Path], root: Path) -> None:
    """A label folder of ``original`` (links) and the kinds, the files of which have numbers."""
    for kind in (ORIGINAL, *KINDS):
        (root / kind).mkdir(parents=True)

    def write(number: int) -> None:
        name = f"{number:05d}.jpg"
        (root / ORIGINAL / name).symlink_to(photos[number])
        with Image.open(photos[number]) as opened:
            image = opened.convert("RGB")
        for kind, change in KINDS.items():
            quality = 60 if kind == "quality 60" else 75
            change(image).save(root / kind / name, quality=quality)

    with ThreadPoolExecutor(2) as threads:
        for _ in threads.map(write, range(len(photos))):
            pass
