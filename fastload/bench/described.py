"""A label folder in figures: how many images, how large, of what formats and quality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, median

import numpy as np
from PIL import Image

from fastload.bench.quality import quality_of
from fastload.bench.results import Photos
from fastload.errors import FastloadError
from fastload.pack.scan import Listing

__all__ = ["describe"]

# So many files are opened, evenly over the folder; of all, the bytes are counted.
_OPENED = 1000


def describe(listing: Listing, name: str) -> Photos:
    """Describe a label folder; only headers are read, of 1000 files at most.

    Args:
        listing: its files.
        name: how a reader calls it.

    Raises:
        FastloadError: none of them is an image.
    """
    places = np.unique(np.linspace(0, len(listing) - 1, _OPENED).round().astype(int))
    files = [listing.root / listing.paths[place] for place in places]
    seen = list(_headers(files))
    if not seen:
        raise FastloadError(f"{listing.root}: none of {len(files):,} files could be read.")
    widths, heights, formats, qualities = zip(*seen, strict=True)
    return Photos(
        name=name,
        images=len(listing),
        bytes=int(listing.sizes.sum()),
        mean_width=mean(widths),
        mean_height=mean(heights),
        quality=_words(formats, [quality for quality in qualities if quality is not None]),
    )


def _headers(files: Sequence[Path]) -> Iterator[tuple[int, int, str, int | None]]:
    """Width, height, format and JPEG quality of those that are images."""
    for file in files:
        try:
            with Image.open(file) as image:
                tables = getattr(image, "quantization", None)
                quality = quality_of(tables[0]) if tables and 0 in tables else None
                yield *image.size, image.format or "unknown", quality
        except (OSError, SyntaxError, ValueError):
            # Packing names it with its reason.
            continue


def _words(formats: Sequence[str], qualities: Sequence[int]) -> str:
    counts = Counter(formats)
    shares = (f"{count / len(formats):.0%} {name}" for name, count in counts.most_common())
    words = ", ".join(shares) if len(counts) > 1 else formats[0]
    if not qualities:
        return words
    low, high = min(qualities), max(qualities)
    spread = f"{low} to {high}, median {median(qualities):.0f}," if low < high else f"{low}"
    return f"{words} (JPEG quality {spread} by the quantisation tables)"
