"""One record as a file that other programs read: JPEG, PNG, or the source's own format."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from fastload.errors import PackError
from fastload.native.library import NativeError, jpeg_encode, jpeg_of_dct, qoi_decode
from fastload.store import Codec
from fastload.store.codec import member_extension

if TYPE_CHECKING:
    from collections.abc import Container

    from numpy.typing import NDArray

    from fastload.store import Pack

__all__ = ["ImageFile", "encoded_jpeg", "image_file", "name_saying", "rgb_pixels"]

# Of zlib: quick, and hardly larger than its default; such files are read once or twice.
_PNG_LEVEL = 3
# libjpeg's.
_JPEG_SIDE = 65_500
_SPELLINGS = {".jpg": (".jpg", ".jpeg"), ".png": (".png",)}


class ImageFile(NamedTuple):
    """The bytes of an image file, and the extension that says what they are."""

    data: bytes | memoryview
    extension: str


def image_file(
    pack: Pack,
    record: int,
    *,
    quality: int | None = None,
    formats: Container[str] | None = None,
) -> ImageFile:
    """A record as a file of a common format.

    A JPEG is passed on as it is stored, coefficients without entropy coding become the JPEG that
    they came from, pixels become PNG.

    Args:
        pack: the pack.
        record: its id.
        quality: make a JPEG of this quality of what is none.
        formats: extensions of the formats in which the source's own files (of a pack made with
            ``--verbatim``) are passed on; others become PNG. None: all are passed on.

    Raises:
        PackError: the record is damaged, or too large for a JPEG.
    """
    payload, codec = pack.sound_payload(record), Codec(pack.index.codec[record])
    if codec is Codec.JPEG:
        return ImageFile(payload, ".jpg")
    if codec is Codec.DCT:
        try:
            return ImageFile(jpeg_of_dct(payload), ".jpg")
        except NativeError as error:
            raise pack.damaged(record, str(error)) from error
    if codec is Codec.FILE and quality is None:
        extension = _extension(pack, record, payload)
        if formats is None or extension in formats:
            return ImageFile(payload, extension)
    pixels = rgb_pixels(pack, record, payload)
    if quality is not None:
        return ImageFile(encoded_jpeg(pack, record, pixels, quality), ".jpg")
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG", compress_level=_PNG_LEVEL)
    return ImageFile(png.getvalue(), ".png")


def rgb_pixels(pack: Pack, record: int, payload: memoryview) -> NDArray[np.uint8]:
    """The pixels of a record that is no JPEG: uint8 of shape (height, width, 3).

    Raises:
        PackError: the bytes are not the image that the index declares.
    """
    try:
        if pack.index.codec[record] == Codec.QOI:
            pixels = qoi_decode(payload)
        else:
            with Image.open(io.BytesIO(payload)) as image:
                pixels = np.asarray(image.convert("RGB"))
    except Exception as error:  # Pillow's decoders raise anything on bad bytes
        raise pack.damaged(record, str(error)) from error
    if pixels.shape[:2] != (pack.index.height[record], pack.index.width[record]):
        raise pack.damaged(record, "it has another size than the index says")
    return pixels


def encoded_jpeg(pack: Pack, record: int, pixels: NDArray[np.uint8], quality: int) -> bytes:
    """Pixels as JPEG.

    Raises:
        PackError: a side is longer than a JPEG's can be.
    """
    if max(pixels.shape[:2]) > _JPEG_SIDE:
        raise PackError(
            f"{pack.root}: {pack.describe(record)} has {pixels.shape[1]} x {pixels.shape[0]} "
            f"pixels, a JPEG has {_JPEG_SIDE:,} a side at most: leave out --quality."
        )
    return jpeg_encode(pixels, quality)


def name_saying(path: str, extension: str) -> str:
    """The path of an image whose bytes are JPEG or PNG, made to say so.

    The name stays as it is, with the extension added where it has another one: so no two images
    of ``cat/1.bmp`` and ``cat/1.jpg`` meet, and their order stays.

    >>> name_saying("cat/1.JPEG", ".jpg"), name_saying("cat/1.bmp", ".png")
    ('cat/1.JPEG', 'cat/1.bmp.png')
    """
    spellings = _SPELLINGS.get(extension)
    if spellings is None or path.lower().endswith(spellings):
        return path
    return path + extension


def _extension(pack: Pack, record: int, payload: memoryview) -> str:
    try:
        with Image.open(io.BytesIO(payload)) as image:
            return member_extension(Codec.FILE, image.format)
    except Exception as error:  # Pillow's parsers raise anything on bad bytes
        raise pack.damaged(record, str(error)) from error
