"""A part of a label folder that is measured in minutes: links to some of its files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from fastload.pack.scan import Listing

__all__ = ["link", "sampled"]


def sampled(listing: Listing, images: int, bytes_in_all: int) -> Listing:
    """Files evenly over the folder, so that classes are as large beside one another as they were.

    Args:
        listing: of the folder, class by class.
        images: so many at most.
        bytes_in_all: of the files, about, at most.
    """
    mean = max(1.0, float(listing.sizes.mean()))
    count = max(1, min(images, int(bytes_in_all / mean), len(listing)))
    if count == len(listing):
        return listing
    # The middle of each of `count` equal parts.
    kept = ((np.arange(count) + 0.5) * len(listing) / count).astype(np.int64)
    classes, labels = np.unique(listing.labels[kept], return_inverse=True)
    return replace(
        listing,
        classes=tuple(listing.classes[label] for label in classes),
        paths=[listing.paths[place] for place in kept],
        labels=labels.astype(np.uint32),
        sizes=listing.sizes[kept],
        mtimes=listing.mtimes[kept],
    )


def link(listing: Listing, folder: Path) -> None:
    """Make a label folder of symbolic links to the listed files.

    Args:
        listing: the files.
        folder: that is made.

    Raises:
        OSError: it cannot be written.
    """
    root = listing.root.resolve()
    for path in listing.paths:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(root / path)
