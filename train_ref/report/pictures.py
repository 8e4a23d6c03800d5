"""Images in a page: small JPEGs as data URIs."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

import fastload

__all__ = ["PackPictures", "data_uri"]

# Twice the size at which they are shown at least, for screens of fine pixels.
_SIDE = 240
_QUALITY = 80


def data_uri(image: Image.Image) -> str:
    """A small JPEG of an image, as a URI."""
    image = image.convert("RGB")
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"


class PackPictures:
    """The images of a pack by their record ids.

    Args:
        pack: its folder.

    Raises:
        FileNotFoundError: it is not there.
        fastload.FastloadError: it is no pack, or a broken one.
    """

    def __init__(self, pack: str | Path) -> None:
        self._images = fastload.ImageFolder(pack)
        records = self._images.records(np.arange(len(self._images), dtype=np.int64))
        self._place = np.empty(len(records), np.int64)
        self._place[records] = np.arange(len(records))

    def __len__(self) -> int:
        return len(self._images)

    @property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """The perceptual hash of each record: shape (records,)."""
        return self._images.pack.index.perceptual_hash

    def paths(self, records: npt.NDArray[np.int64]) -> list[str]:
        """Where the records' files were below the label folder."""
        root = str(self._images.root)
        return [
            str(Path(self._images.samples[place][0]).relative_to(root))
            for place in self._place[records].tolist()
        ]

    def image(self, record: int) -> Image.Image:
        """A record's image, as it is in the pack.

        Raises:
            fastload.RecordError: its bytes are damaged.
        """
        image: Image.Image = self._images[int(self._place[record])][0]
        return image

    def uri(self, record: int) -> str:
        """A record's image as a URI.

        Raises:
            fastload.RecordError: its bytes are damaged.
        """
        return data_uri(self.image(record))
