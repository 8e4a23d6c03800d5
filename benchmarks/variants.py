"""Other kinds of the same photos, and the long tail: label folders that suites are measured on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps

from benchmarks.disk import files_of
from examples.long_tail import draw_data

JPEG, PNG, RESIZED, LONG_TAIL = "jpeg", "png", "resized", "long tail"
RESIZED_SIDE = 400
JPEG_QUALITY = 90
# Larger pictures are put together of tiles: enlarged photos would have less detail than real ones.
TILE = (512, 384)
CLASSES = 4
LEAST_LARGE, MOST_SMALL = 36, 1024
PIXELS = 2**26  # in all pictures of one size, within these limits

Item = TypeVar("Item")


def side_kind(side: int) -> str:
    """The kind of pictures of 4:3 with so many pixels on the longer side."""
    return f"{side} px"


def image_files(folder: Path) -> list[Path]:
    """All files of a label folder, in an order that is always the same."""
    return sorted(files_of(folder))


def _in_threads(work: Callable[[Item], None], items: Iterable[Item]) -> None:
    with ThreadPoolExecutor() as threads:
        for _ in threads.map(work, items):
            pass


def write_png(photos: Path, folder: Path) -> None:
    """Write the photos as PNG files of the same pixels, under the same names."""

    def write(file: Path) -> None:
        target = (folder / file.relative_to(photos)).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(file) as image:
            image.convert("RGB").save(target)

    _in_threads(write, image_files(photos))


def write_resized(photos: Path, folder: Path) -> None:
    """Write the photos with at most 400 pixels on the longer side, as JPEG of quality 90.

    One that is no larger is written anew too, so that all have the same quality.
    """

    def write(file: Path) -> None:
        target = (folder / file.relative_to(photos)).with_suffix(".jpg")
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(file) as image:
            small = image.convert("RGB")
            small.thumbnail((RESIZED_SIDE, RESIZED_SIDE), Image.Resampling.LANCZOS, None)
            small.save(target, quality=JPEG_QUALITY)

    _in_threads(write, image_files(photos))


def write_sides(photos: Path, folder: Path, side: int) -> None:
    """Write pictures of ``side`` by 3/4 of it, JPEG of quality 90: fewer of the large ones.

    Those larger than a tile are mosaics of photos, so that they have a real photo's detail.
    """
    size = (side, side * 3 // 4)
    sources = image_files(photos)[: MOST_SMALL // 4]
    tiles = [_tile(file) for file in sources]
    count = min(max(PIXELS // (size[0] * size[1]), LEAST_LARGE), MOST_SMALL)
    if len(sources) < LEAST_LARGE:  # a smoke run
        count = len(sources)

    def write(number: int) -> None:
        target = folder / f"class_{number % CLASSES}" / f"{number:05d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        _picture(tiles, size, number).save(target, quality=JPEG_QUALITY)

    _in_threads(write, range(count))


def _tile(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return ImageOps.fit(image.convert("RGB"), TILE, Image.Resampling.LANCZOS)


def _picture(tiles: list[Image.Image], size: tuple[int, int], number: int) -> Image.Image:
    """Picture ``number``: one tile made smaller, or a mosaic of tiles."""
    if size[0] <= TILE[0]:
        return tiles[number % len(tiles)].resize(size, Image.Resampling.LANCZOS)
    drawn = np.random.default_rng(number)
    whole = Image.new("RGB", size)
    for top in range(0, size[1], TILE[1]):
        for left in range(0, size[0], TILE[0]):
            whole.paste(tiles[drawn.integers(len(tiles))], (left, top))
    return whole


def write_long_tail(share: float, folder: Path) -> Path:
    """Draw a share of the 19 long-tailed classes, PNG of 640 x 620; returns the label folder."""
    draw_data(folder, share)
    return folder / "train"
