"""How a record's bytes are stored: the codec numbers of the index and the names of the members."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["EXTENSIONS_OF_FILES", "Codec", "member_extension"]


class Codec(IntEnum):
    """The value of the index's ``codec`` column.

    >>> Codec(2).name
    'QOI'
    """

    JPEG = 0
    DCT = 1
    QOI = 2
    FILE = 3


# Readers that go by a member's extension (WebDataset, DALI) know these; any other format is .img.
EXTENSIONS_OF_FILES = {
    "BMP": ".bmp",
    "GIF": ".gif",
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "PNG": ".png",
    "PPM": ".ppm",
    "TIFF": ".tif",
    "WEBP": ".webp",
}


def member_extension(codec: Codec, file_format: str | None = None) -> str:
    """Extension of a record's member in its shard.

    Args:
        codec: the record's codec.
        file_format: Pillow's name of the source's format; only ``Codec.FILE`` looks at it.

    >>> member_extension(Codec.QOI), member_extension(Codec.FILE, "PNG")
    ('.qoi', '.png')
    """
    if codec is Codec.FILE:
        return EXTENSIONS_OF_FILES.get(file_format or "", ".img")
    return f".{'jpg' if codec is Codec.JPEG else codec.name.lower()}"
