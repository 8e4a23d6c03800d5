"""One record, decoded by itself: what indexing a dataset gives."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

from fastload.native.library import crc32c, decode, jpeg_of_dct, qoi_decode
from fastload.store.codec import Codec

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

    from fastload.store.pack import Pack

__all__ = ["decode_record", "decode_with_pillow"]


def decode_record(pack: Pack, record: int) -> PILImage:
    """One record as an RGB image, decoded as the native engine does: Pillow's pixels to the bit.

    Records kept as the source's own file, of a format that only Pillow reads, take Pillow's way.

    Raises:
        NativeError, OSError, SyntaxError, ValueError: the bytes are not the image they should be.
    """
    codec = pack.index.codec[record]
    if codec == Codec.FILE:
        return decode_with_pillow(pack, record)
    return Image.fromarray(decode(_checked_payload(pack, record), int(codec)))


def decode_with_pillow(pack: Pack, record: int) -> PILImage:
    """One record as an RGB image, decoded by Pillow, as torchvision's ``pil_loader`` does.

    Raises:
        NativeError, OSError, SyntaxError, ValueError: the bytes are not the image they should be.
    """
    payload, codec = _checked_payload(pack, record), pack.index.codec[record]
    if codec == Codec.QOI:
        return Image.fromarray(qoi_decode(payload))
    file = jpeg_of_dct(payload) if codec == Codec.DCT else payload
    return Image.open(io.BytesIO(file)).convert("RGB")


def _checked_payload(pack: Pack, record: int) -> memoryview:
    payload = pack.payload(record)
    if crc32c(payload) != int(pack.index.crc32c[record]):
        raise ValueError("its bytes are not those that were packed (checksum mismatch)")
    return payload
