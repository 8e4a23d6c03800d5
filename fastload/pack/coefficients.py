"""Records of the same quantised coefficients: ``.jpg`` and ``.dct``, each made of the other.

What was made is turned back and compared before it is given away: no record is ever stored whose
way back is not sure.
"""

from __future__ import annotations

from fastload.native import library as native
from fastload.native.library import BytesLike, NativeCode, NativeError

__all__ = ["dct_record", "jpeg_record"]

# Layouts and coefficients that are right in a JPEG but have no place in a .dct record.
_WITHOUT_RECORD = frozenset({NativeCode.BAD_ARGUMENT, NativeCode.JPEG_NOT_BASELINE})


def dct_record(jpeg: BytesLike) -> bytes | None:
    """The ``.dct`` record of a JPEG, or None where it has to stay a JPEG.

    Args:
        jpeg: in the layout of the pack.

    Raises:
        NativeError: the JPEG is damaged.

    >>> import numpy as np
    >>> jpeg = native.jpeg_encode(np.zeros((8, 8, 3), np.uint8), 90)
    >>> jpeg_record(dct_record(jpeg)) == jpeg
    True
    """
    try:
        dct = native.dct_of_jpeg(jpeg)
        again = native.jpeg_of_dct(dct)
    except NativeError as error:
        if error.code in _WITHOUT_RECORD:
            return None
        raise
    # Another writer's JPEG may have other Huffman tables for the same coefficients.
    return dct if again == jpeg or native.dct_of_jpeg(again) == dct else None


def jpeg_record(dct: BytesLike) -> bytes:
    """The JPEG of a ``.dct`` record.

    Raises:
        NativeError: the record is damaged.
        ValueError: the JPEG does not lead back to it.
    """
    jpeg = native.jpeg_of_dct(dct)
    if native.dct_of_jpeg(jpeg) != dct:
        raise ValueError("the JPEG made of it has another record")
    return jpeg
