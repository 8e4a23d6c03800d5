"""From the bytes of a file to the bytes of a record, without changing a pixel unless asked to.

Pillow judges every file, as it does for ImageFolder: what it refuses is rejected with its words.
JPEG goes through the native lossless transcoder, and on request from there to coefficients
without entropy coding; whatever the transcoder does not take, and all other formats, are decoded
by Pillow and stored as QOI.
"""

from __future__ import annotations

import errno
import io
import math
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from fastload.errors import PackError
from fastload.native import library as native
from fastload.pack.coefficients import dct_record
from fastload.store.codec import Codec, member_extension

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastload.pack.options import Options

__all__ = ["Encoded", "Rejected", "encode", "encode_file", "load_plugins"]

# An MPO file is a JPEG followed by more of them; its first frame is what ImageFolder shows.
_JPEG_FORMATS = frozenset({"JPEG", "MPO"})
# What --max-side alone uses for a JPEG source: visually lossless after a resize.
_QUALITY_OF_RESIZED = 95
# The reasons must not depend on where an object lies in memory.
_OBJECT_ADDRESS = re.compile(r" <[\w.]+ object at 0x[0-9a-f]+>")
_EXIF_ORIENTATION = 0x0112
_LENGTH_LIMIT = 2**32 - 1
# The machine's trouble, not the file's: rejecting the file for it would be silent loss.
_FATAL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


@dataclass(frozen=True, slots=True)
class Encoded:
    """One image, ready to be appended to a shard.

    Attributes:
        payload: its bytes.
        codec: how they are stored.
        extension: of its member.
        width: pixels.
        height: pixels.
        orientation: EXIF orientation still to be applied, 0 where there is none.
        crc32c: of the payload.
        perceptual_hash: 63 bits, see :func:`fastload.native.library.perceptual_hash`.
        psnr: against the (resized) source in dB where the record is lossy, else NaN.
    """

    payload: bytes
    codec: Codec
    extension: str
    width: int
    height: int
    orientation: int
    crc32c: int
    perceptual_hash: int
    psnr: float

    def row(self, source: int, offset: int) -> tuple[Any, ...]:
        """The record's row for :data:`fastload.pack.journal.ROW`.

        Args:
            source: place of the file in the listing.
            offset: of the payload in its shard.
        """
        return (
            source,
            offset,
            len(self.payload),
            self.width,
            self.height,
            self.codec,
            self.orientation,
            self.crc32c,
            self.perceptual_hash,
            self.psnr,
        )


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a file is not in the pack."""

    reason: str


def load_plugins() -> None:
    """Make Pillow load its plugins, in the order in which opening a file would.

    Threads that open files meanwhile may find a format unknown that is just being registered.
    """
    Image.preinit()
    Image.init()


def encode_file(path: str, size: int, options: Options) -> Encoded | Rejected:
    """Read and encode one file.

    Args:
        path: the file.
        size: its size when the folder was listed.
        options: of the pack.

    Raises:
        PackError: the file has another size now, or the machine is out of memory or handles.
    """
    try:
        data = _read(path)
    except OSError as error:
        if error.errno in _FATAL:
            raise PackError(f"{path} cannot be read: {error.strerror}.") from error
        return Rejected(f"cannot be read: {error.strerror}")
    if data is None:
        return Rejected("not a regular file")
    if len(data) != size:
        raise PackError(
            f"{path} changed while it was being packed ({size} bytes listed, {len(data)} read). "
            "Let nothing write to the label folder and pack it again."
        )
    return encode(data, options)


def encode(data: bytes, options: Options) -> Encoded | Rejected:
    """Encode the bytes of one file; what ImageFolder could not load is rejected with the reason."""
    if not data:
        return Rejected("the file is empty")
    try:
        encoded = _encode(data, options)
    except MemoryError:
        raise
    except native.NativeError as error:
        if error.code == native.NativeCode.OUT_OF_MEMORY:
            raise MemoryError(str(error)) from error
        return Rejected(_reason(error))
    except Exception as error:  # noqa: BLE001 - Pillow's plugins raise anything on bad bytes
        return Rejected(_reason(error))
    if len(encoded.payload) > _LENGTH_LIMIT:
        return Rejected(f"{len(encoded.payload)} bytes, a record has 4 GiB at most")
    return encoded


def _read(path: str) -> bytes | None:
    """The bytes of a regular file, else None; a named pipe does not block."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb", buffering=0) as file:  # noqa: PTH123 - a handle has no path
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        return file.read()


def _encode(data: bytes, options: Options) -> Encoded:
    with Image.open(io.BytesIO(data)) as image:
        if options.quality is not None or _longer_than(image, options.max_side):
            return _encode_lossy(image, options)
        if image.format in _JPEG_FORMATS:
            transcoded = _transcoded(data, image.size)
            if transcoded is not None:
                payload = data if options.verbatim else transcoded.jpeg
                hashed = transcoded.facts.perceptual_hash
                return _encoded(*_stored(payload, options), image, image.size, hashed)
        shown = image.convert("RGB")
        pixels = np.asarray(shown)
        hashed = native.perceptual_hash(pixels)
        if options.verbatim:
            return _encoded(data, Codec.FILE, image, shown.size, hashed)
        return _encoded(native.qoi_encode(pixels), Codec.QOI, image, shown.size, hashed)


def _transcoded(data: bytes, size: tuple[int, int]) -> native.Transcoded | None:
    """The seekable JPEG, or None where only Pillow's own decoding is sure to give its pixels."""
    try:
        transcoded = native.jpeg_transcode(data)
    except native.NativeError as error:
        if error.code == native.NativeCode.OUT_OF_MEMORY:
            raise
        return None
    return transcoded if (transcoded.facts.width, transcoded.facts.height) == size else None


def _encode_lossy(image: Image.Image, options: Options) -> Encoded:
    grey = image.mode in ("1", "L")
    as_jpeg = options.quality is not None or image.format in _JPEG_FORMATS
    shown = image.convert("RGB")
    if _longer_than(shown, options.max_side):
        shown = shown.resize(_shrunk(shown.size, options.max_side), Image.Resampling.LANCZOS)
    pixels = np.asarray(shown)
    hashed = native.perceptual_hash(pixels)
    if not as_jpeg:
        return _encoded(native.qoi_encode(pixels), Codec.QOI, image, shown.size, hashed)
    planes = np.ascontiguousarray(pixels[:, :, 0]) if grey else pixels
    jpeg = native.jpeg_encode(planes, options.quality or _QUALITY_OF_RESIZED)
    psnr = _psnr(jpeg, pixels)
    return _encoded(*_stored(jpeg, options), image, shown.size, hashed, psnr)


def _stored(jpeg: bytes, options: Options) -> tuple[bytes, Codec]:
    """The payload and the codec in which a JPEG is kept."""
    dct = dct_record(jpeg) if options.codec == "dct" else None
    return (jpeg, Codec.JPEG) if dct is None else (dct, Codec.DCT)


def _longer_than(image: Image.Image, max_side: int | None) -> bool:
    return max_side is not None and max(image.size) > max_side


def _shrunk(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """The size with its longer side at ``max_side`` and the same shape, at least one pixel."""
    if max_side is None:
        return size
    width, height = (max(1, round(side * max_side / max(size))) for side in size)
    return width, height


def _encoded(
    payload: bytes,
    codec: Codec,
    image: Image.Image,
    size: tuple[int, int],
    perceptual_hash: int,
    psnr: float = math.nan,
) -> Encoded:
    return Encoded(
        payload,
        codec,
        member_extension(codec, image.format),
        size[0],
        size[1],
        _orientation(image),
        native.crc32c(payload),
        perceptual_hash,
        psnr,
    )


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, or 0; damaged metadata does not make an image unusable."""
    if "exif" not in image.info and image.format != "TIFF":
        return 0
    try:
        value: Any = image.getexif().get(_EXIF_ORIENTATION, 0)
    except Exception:  # noqa: BLE001 - Pillow's parser raises anything on bad bytes
        return 0
    return value if isinstance(value, int) and 1 <= value <= 8 else 0


def _psnr(jpeg: bytes, pixels: NDArray[np.uint8]) -> float:
    """Peak signal to noise ratio over all channels in dB: 10 log10(255^2 / MSE), at most 99."""
    with Image.open(io.BytesIO(jpeg)) as image:
        decoded = np.asarray(image.convert("RGB"))
    difference = decoded.astype(np.int32) - pixels
    error = float(np.vdot(difference, difference)) / difference.size
    return min(99.0, 10 * math.log10(255**2 / error)) if error else 99.0


def _reason(error: Exception) -> str:
    words = _OBJECT_ADDRESS.sub("", str(error)).strip()
    return words or type(error).__name__
