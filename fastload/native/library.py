"""The native library behind plain functions: bytes-like objects and numpy arrays in and out.

``libfastload.so`` lies beside this file and is loaded by ctypes, so one build serves every Python
and every call runs without the GIL. Calls are coarse: a file, a batch, an epoch.

>>> hex(crc32c(b"123456789"))
'0xe3069283'
"""

from __future__ import annotations

import ctypes
import enum
from ctypes import POINTER, byref, c_double, c_int, c_int32, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastload.errors import EngineError, FastloadError

__all__ = [
    "SIMD_LEVELS",
    "JpegFacts",
    "LibraryFacts",
    "NativeCode",
    "NativeError",
    "Transcoded",
    "class_order",
    "crc32c",
    "dct_of_jpeg",
    "decode",
    "describe_library",
    "first_uses",
    "group_near",
    "has_repeats",
    "image_size",
    "jpeg_encode",
    "jpeg_of_dct",
    "jpeg_transcode",
    "mark_near",
    "near_pairs",
    "next_uses",
    "perceptual_hash",
    "permutation",
    "philox",
    "qoi_decode",
    "qoi_encode",
    "qoi_size",
    "resize",
]

BytesLike = bytes | bytearray | memoryview | npt.NDArray[np.uint8]
Pixels = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]

LIBRARY_PATH = Path(__file__).with_name("libfastload.so")


class NativeCode(enum.IntEnum):
    """Why a native call failed (``fl_code`` in error.h)."""

    BAD_ARGUMENT = 1
    OUT_OF_MEMORY = 2
    INTERNAL = 3
    CORRUPT = 4
    JPEG_WARNING = 10
    JPEG_INCOMPLETE = 11
    JPEG_UNSUPPORTED = 12
    JPEG_NOT_BASELINE = 13


class NativeError(FastloadError, RuntimeError):
    """A native call failed.

    Attributes:
        code: one of :class:`NativeCode`.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[NativeError], tuple[int, str]]:
        return (type(self), (self.code, str(self)))


class ErrorStruct(ctypes.Structure):
    """``fl_error``."""

    _fields_ = (("code", c_int32), ("message", ctypes.c_char * 252))


class JpegFactsStruct(ctypes.Structure):
    """``fl_jpeg_facts``."""

    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("components", c_uint32),
        ("warnings", c_uint32),
        ("incomplete", c_uint32),
        ("reserved", c_uint32),
        ("perceptual_hash", c_uint64),
    )


def _load() -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(LIBRARY_PATH))
    except OSError as error:
        raise ImportError(
            f"fastload's native library cannot be loaded from {LIBRARY_PATH} ({error}). In a "
            "source checkout build it with `make native`; otherwise reinstall fastload."
        ) from error


_library = _load()


def _declare(name: str, *argument_types: Any) -> Any:
    """The C function `name`, which takes `argument_types` and then an ``fl_error*``."""
    function = getattr(_library, name)
    function.argtypes = (*argument_types, POINTER(ErrorStruct))
    function.restype = c_int
    return function


def functions(signatures: dict[str, tuple[Any, tuple[Any, ...]]]) -> dict[str, Any]:
    """C functions by name, each with its result's and its arguments' types.

    Raises:
        EngineError: the native library was built without one of them.
    """
    loaded = ctypes.CDLL(str(LIBRARY_PATH))
    for name, (result, arguments) in signatures.items():
        if not hasattr(loaded, name):
            raise EngineError(
                f"The native library {LIBRARY_PATH} has no {name}: it is older than this Python "
                "code. Build it again (`python setup.py build_native`) or reinstall fastload; "
                'engine="torch" works without it.'
            )
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return {name: getattr(loaded, name) for name in signatures}


def check(code: int, error: ErrorStruct) -> None:
    """Raise what a C function left in ``error``.

    Raises:
        NativeError: the code is not 0.
    """
    if code != 0:
        raise NativeError(error.code, error.message.decode("utf-8", "replace"))


def _call(function: Any, *arguments: Any) -> None:
    error = ErrorStruct()
    check(function(*arguments, byref(error)), error)


def _as_bytes(data: BytesLike) -> npt.NDArray[np.uint8]:
    """A flat view of `data`; keep it alive while its address is in use."""
    return np.frombuffer(data, dtype=np.uint8)


def _address(array: npt.NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


# ---- The library itself ----

SIMD_LEVELS = ("portable", "avx2", "avx512")
"""The instructions that the kernels are written for, as FASTLOAD_SIMD names them."""

_describe_library = _declare("fl_describe_library", POINTER(c_uint32), POINTER(c_uint32))


class LibraryFacts(NamedTuple):
    """What the native library is made of.

    Attributes:
        simd: which of :data:`SIMD_LEVELS` this process uses.
        libjpeg_turbo: the version that is in it, "" where that is another libjpeg.
    """

    simd: str
    libjpeg_turbo: str


def describe_library() -> LibraryFacts:
    """What the native library is made of, and what it chose on this machine.

    >>> describe_library().simd in SIMD_LEVELS
    True
    """
    level, number = c_uint32(), c_uint32()
    _call(_describe_library, byref(level), byref(number))
    major, rest = divmod(number.value, 1_000_000)
    version = ".".join(map(str, (major, *divmod(rest, 1000)))) if number.value else ""
    return LibraryFacts(SIMD_LEVELS[level.value], version)


# ---- Codecs, checksums, draws ----

_library.fl_buffer_data.argtypes = (c_void_p,)
_library.fl_buffer_data.restype = c_void_p
_library.fl_buffer_size.argtypes = (c_void_p,)
_library.fl_buffer_size.restype = c_uint64
_library.fl_buffer_free.argtypes = (c_void_p,)
_library.fl_buffer_free.restype = None

_crc32c = _declare("fl_crc32c", c_void_p, c_uint64, POINTER(c_uint32))
_jpeg_transcode = _declare(
    "fl_jpeg_transcode", c_void_p, c_uint64, POINTER(c_void_p), POINTER(JpegFactsStruct)
)
_jpeg_encode = _declare(
    "fl_jpeg_encode",
    c_void_p,
    c_uint32,
    c_uint32,
    c_uint32,
    c_uint64,
    c_uint32,
    POINTER(c_void_p),
)
_dct_of_jpeg = _declare("fl_dct_of_jpeg", c_void_p, c_uint64, POINTER(c_void_p))
_jpeg_of_dct = _declare("fl_jpeg_of_dct", c_void_p, c_uint64, POINTER(c_void_p))
_qoi_encode = _declare("fl_qoi_encode", c_void_p, c_uint32, c_uint32, c_uint64, POINTER(c_void_p))
_qoi_size = _declare("fl_qoi_size", c_void_p, c_uint64, POINTER(c_uint32), POINTER(c_uint32))
_qoi_decode = _declare("fl_qoi_decode", c_void_p, c_uint64, c_void_p, c_uint64, c_uint32, c_uint32)
_perceptual_hash = _declare(
    "fl_perceptual_hash", c_void_p, c_uint32, c_uint32, c_uint32, c_uint64, POINTER(c_uint64)
)
_philox = _declare(
    "fl_philox", c_uint64, c_uint64, c_void_p, c_uint64, c_uint32, c_uint32, c_void_p
)
_first_uses = _declare("fl_first_uses", c_void_p, c_uint64, c_uint32, c_void_p, c_uint64)
_next_uses = _declare("fl_next_uses", c_void_p, c_uint64, c_void_p, c_uint64, c_void_p)
_has_repeats = _declare("fl_has_repeats", c_void_p, c_uint64, c_uint64, POINTER(c_int32))
_permutation = _declare("fl_permutation", c_uint64, c_uint64, c_uint64, c_void_p)
_class_order = _declare(
    "fl_class_order",
    c_uint64,
    c_uint64,
    c_uint64,
    c_void_p,
    c_void_p,
    c_uint64,
    c_void_p,
    c_void_p,
    c_uint32,
    c_uint32,
    c_void_p,
)


class JpegFacts(NamedTuple):
    """What the transcoder learnt about a JPEG."""

    width: int
    height: int
    components: int
    perceptual_hash: int


class Transcoded(NamedTuple):
    """A rewritten JPEG and what was learnt about it."""

    jpeg: bytes
    facts: JpegFacts


def _take(buffer: c_void_p) -> bytes:
    """The bytes of a native buffer, which is freed."""
    try:
        return ctypes.string_at(_library.fl_buffer_data(buffer), _library.fl_buffer_size(buffer))
    finally:
        _library.fl_buffer_free(buffer)


def _as_pixels(pixels: Pixels, channels: tuple[int, ...]) -> tuple[Pixels, int]:
    """`pixels` with its rows contiguous, and its number of channels."""
    if pixels.dtype != np.uint8:
        raise TypeError(f"pixels must be uint8, not {pixels.dtype}")
    count = 1 if pixels.ndim == 2 else pixels.shape[2] if pixels.ndim == 3 else 0
    if count not in channels:
        wanted = " or ".join(f"(H, W, {n})" if n > 1 else "(H, W)" for n in channels)
        raise ValueError(f"pixels must be of shape {wanted}, not {pixels.shape}")
    rows_contiguous = pixels.strides[1] == count and pixels.strides[0] >= pixels.shape[1] * count
    channels_contiguous = pixels.ndim == 2 or pixels.strides[2] == 1
    if not (rows_contiguous and channels_contiguous):
        pixels = np.ascontiguousarray(pixels)
    return pixels, count


def crc32c(data: BytesLike) -> int:
    """CRC-32C (Castagnoli, RFC 3720) of `data`.

    >>> hex(crc32c(bytes(32)))
    '0x8a9136aa'
    """
    view = _as_bytes(data)
    result = c_uint32()
    _call(_crc32c, _address(view), view.size, byref(result))
    return result.value


def jpeg_transcode(data: BytesLike) -> Transcoded:
    """Rewrite a JPEG losslessly into the pack's layout.

    Baseline, one scan, optimised Huffman tables, one restart interval per MCU row, no metadata but
    what colour needs; every quantised coefficient stays.

    Raises:
        NativeError: the result might not decode to the very pixels of the source. `code` says why:
            ``JPEG_WARNING`` (damaged), ``JPEG_INCOMPLETE`` (progressive, last scans missing),
            ``JPEG_UNSUPPORTED`` (CMYK, YCCK, 12 bit, ...), ``JPEG_NOT_BASELINE`` (coefficients or
            sampling that baseline cannot carry), ``CORRUPT`` (not readable at all).
    """
    view = _as_bytes(data)
    buffer = c_void_p()
    facts = JpegFactsStruct()
    _call(_jpeg_transcode, _address(view), view.size, byref(buffer), byref(facts))
    known = JpegFacts(facts.width, facts.height, facts.components, facts.perceptual_hash)
    return Transcoded(_take(buffer), known)


def jpeg_encode(pixels: Pixels, quality: int) -> bytes:
    """Encode pixels as JPEG in the pack's layout (see :func:`jpeg_transcode`), chroma 4:2:0.

    Args:
        pixels: uint8, (H, W, 3) RGB or (H, W) grey; sides of 1 to 65,500.
        quality: libjpeg's, 1 to 100.

    >>> jpeg_encode(np.zeros((16, 16, 3), np.uint8), 90)[:2].hex()
    'ffd8'
    """
    pixels, channels = _as_pixels(pixels, (1, 3))
    height, width = pixels.shape[:2]
    buffer = c_void_p()
    _call(
        _jpeg_encode,
        _address(pixels),
        height,
        width,
        channels,
        pixels.strides[0],
        quality,
        byref(buffer),
    )
    return _take(buffer)


def dct_of_jpeg(jpeg: BytesLike) -> bytes:
    """The ``.dct`` record of a JPEG: its quantised coefficients without the entropy coding.

    Args:
        jpeg: in the pack's layout, as :func:`jpeg_transcode` and :func:`jpeg_encode` write it.

    Raises:
        NativeError: ``BAD_ARGUMENT``: another layout, or sampling factors that are no multiples of
            one another; ``JPEG_NOT_BASELINE``: coefficients too large for a record; ``CORRUPT`` or
            ``JPEG_WARNING``: damaged bytes.

    >>> jpeg = jpeg_encode(np.zeros((16, 16, 3), np.uint8), 90)
    >>> jpeg_of_dct(dct_of_jpeg(jpeg)) == jpeg
    True
    """
    view = _as_bytes(jpeg)
    buffer = c_void_p()
    _call(_dct_of_jpeg, _address(view), view.size, byref(buffer))
    return _take(buffer)


def jpeg_of_dct(dct: BytesLike) -> bytes:
    """The JPEG of a ``.dct`` record: that of which :func:`dct_of_jpeg` made it.

    To the byte, unless that JPEG had zero runs before an end of block, which are left out.

    Raises:
        NativeError: ``CORRUPT``: the bytes are no record; ``JPEG_NOT_BASELINE``: coefficients that
            no baseline JPEG has.
    """
    view = _as_bytes(dct)
    buffer = c_void_p()
    _call(_jpeg_of_dct, _address(view), view.size, byref(buffer))
    return _take(buffer)


def qoi_encode(pixels: Pixels) -> bytes:
    """Encode (H, W, 3) uint8 RGB as a QOI file, losslessly.

    >>> pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    >>> bool((qoi_decode(qoi_encode(pixels)) == pixels).all())
    True
    """
    pixels, _ = _as_pixels(pixels, (3,))
    height, width = pixels.shape[:2]
    buffer = c_void_p()
    _call(_qoi_encode, _address(pixels), height, width, pixels.strides[0], byref(buffer))
    return _take(buffer)


def qoi_size(data: BytesLike) -> tuple[int, int]:
    """Height and width that a QOI file claims.

    Raises:
        NativeError: ``CORRUPT``: not a QOI file, or one too short for that many pixels.
    """
    view = _as_bytes(data)
    height, width = c_uint32(), c_uint32()
    _call(_qoi_size, _address(view), view.size, byref(height), byref(width))
    return height.value, width.value


def qoi_decode(data: BytesLike, row0: int = 0, row1: int | None = None) -> Pixels:
    """Rows `row0` to `row1` - 1 (default: all) of a QOI file as (rows, W, 3) uint8 RGB.

    The alpha of a 4-channel file is dropped.

    Raises:
        NativeError: ``CORRUPT``: the bytes are no QOI image; ``BAD_ARGUMENT``: rows outside of it.
    """
    view = _as_bytes(data)
    height, width = qoi_size(data)
    row1 = height if row1 is None else row1
    if not 0 <= row0 <= row1 <= height:
        raise NativeError(
            NativeCode.BAD_ARGUMENT, f"rows {row0} .. {row1} of an image of {height} rows"
        )
    out = np.empty((row1 - row0, width, 3), np.uint8)
    _call(_qoi_decode, _address(view), view.size, _address(out), 3 * width, row0, row1)
    return out


def perceptual_hash(pixels: Pixels) -> int:
    """A 63-bit hash that similar pictures share, of (H, W, 3) RGB or (H, W) grey uint8 pixels.

    Bit ``8 * v + u`` is the sign of the DCT-II coefficient of horizontal frequency u and vertical
    frequency v of the luma's 32x32 area average; bit 0 is 0. Mirroring left-right flips the bits of
    odd u, upside down those of odd v; transposing exchanges u and v: exactly where both sides are
    multiples of 4, else but for coefficients near 0. :func:`jpeg_transcode` gives the same from
    coefficients, but for coefficients near 0.

    >>> ramp = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    >>> flipped = perceptual_hash(ramp[:, ::-1])
    >>> hex(flipped ^ perceptual_hash(ramp))
    '0xaa'
    """
    pixels, channels = _as_pixels(pixels, (1, 3))
    height, width = pixels.shape[:2]
    result = c_uint64()
    _call(
        _perceptual_hash,
        _address(pixels),
        height,
        width,
        channels,
        pixels.strides[0],
        byref(result),
    )
    return result.value


def philox(
    seed: int,
    epoch: int,
    positions: npt.NDArray[np.int64],
    stream: int = 0,
    blocks: int = 1,
) -> npt.NDArray[np.uint32]:
    """Random words as a pure function of where they are wanted: Philox4x32-10.

    Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011), with
    ``key = (seed low, seed high)`` and
    ``counter = (position low, position bits 32-47 | stream << 16, epoch, block)``.

    Args:
        seed: 0 to 2^64 - 1.
        epoch: 0 to 2^32 - 1.
        positions: int64 of shape (n,), each 0 to 2^48 - 1.
        stream: 0 to 65,534: draws that must not share words use different streams.
        blocks: groups of four words for each position, at most 65,536.

    Returns:
        uint32 of shape (n, blocks, 4).
    """
    where = np.ascontiguousarray(positions, dtype=np.int64)
    if where.ndim != 1:
        raise ValueError(f"positions must be one-dimensional, not of shape {where.shape}")
    out = np.empty((where.size, blocks, 4), np.uint32)
    _call(_philox, seed, epoch, _address(where), where.size, stream, blocks, _address(out))
    return out


def permutation(seed: int, epoch: int, n: int) -> npt.NDArray[np.int64]:
    """A random permutation of 0 .. n - 1 as int64, by Fisher-Yates over Philox (see philox.h).

    >>> sorted(permutation(seed=7, epoch=0, n=5).tolist())
    [0, 1, 2, 3, 4]
    """
    out = np.empty(n, np.int64)
    _call(_permutation, seed, epoch, n, _address(out))
    return out


def class_order(
    seed: int,
    epoch: int,
    era: int,
    starts: npt.NDArray[np.uint64],
    members: npt.NDArray[np.uint32] | None,
    draws: npt.NDArray[np.int64],
    begun: npt.NDArray[np.int64],
    batch: tuple[int, int] | None = None,
) -> npt.NDArray[np.int64]:
    """The samples of an epoch that draws each class a given number of times (see class_order.h).

    Args:
        seed: 64 bits.
        epoch: 32 bits.
        era: 32 bits; each class has one cycle an era.
        starts: uint64, shape (classes + 1,): where the samples of each class begin.
        members: uint32: the samples, class after class; None where they are 0, 1, 2, ...
        draws: int64, shape (classes,): samples of each class.
        begun: int64, shape (classes,): the place in its cycle where each class goes on.
        batch: (classes, images of each) of a batch; None shuffles the classes.

    Returns:
        int64, shape (draws.sum(),).

    Raises:
        NativeError: ``BAD_ARGUMENT``: the columns do not fit one another.

    >>> starts = np.array([0, 4, 6], np.uint64)
    >>> order = class_order(7, 0, 0, starts, None, np.array([4, 6]), np.array([0, 0]))
    >>> np.bincount(order).tolist()
    [1, 1, 1, 1, 3, 3]
    """
    columns = [np.ascontiguousarray(column, np.int64) for column in (draws, begun)]
    first = np.ascontiguousarray(starts, np.uint64)
    listed = None if members is None else np.ascontiguousarray(members, np.uint32)
    classes = first.size - 1
    if any(column.shape != (classes,) or (column < 0).any() for column in columns):
        raise ValueError(f"draws and begun need {classes} natural numbers each")
    if listed is not None and int(first[-1]) > listed.size:
        raise ValueError(f"{listed.size} members, the classes end at {first[-1]}")
    out = np.empty(int(columns[0].sum()), np.int64)
    _call(
        _class_order,
        seed,
        epoch,
        era,
        _address(first),
        None if listed is None else _address(listed),
        classes,
        *map(_address, columns),
        *(batch or (0, 0)),
        _address(out),
    )
    return out


def first_uses(order: npt.NDArray[np.int64], samples: int, start: int) -> npt.NDArray[np.uint32]:
    """First position of each sample in an order: see :func:`fastload.sample.next_use.first_uses`.

    Raises:
        NativeError: ``BAD_ARGUMENT``: a sample is not 0 to ``samples`` - 1.
    """
    here = np.ascontiguousarray(order, np.int64)
    out = np.empty(samples, np.uint32)
    _call(_first_uses, _address(here), here.size, start, _address(out), samples)
    return out


def next_uses(
    order: npt.NDArray[np.int64], coming: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]:
    """When each position's sample comes again: see :func:`fastload.sample.next_use.next_uses`.

    Raises:
        NativeError: ``BAD_ARGUMENT``: a sample is not one of ``coming``'s.
    """
    here = np.ascontiguousarray(order, np.int64)
    out = np.empty(here.size, np.uint32)
    _call(_next_uses, _address(here), here.size, _address(coming), coming.size, _address(out))
    return out


# ---- Duplicates ----

_mark_near = _declare("fl_mark_near", c_void_p, c_uint64, c_uint32, c_uint32, c_void_p)
_near_pairs = _declare(
    "fl_near_pairs",
    c_void_p,
    c_uint64,
    c_void_p,
    c_uint64,
    c_uint32,
    c_uint32,
    POINTER(c_void_p),
)
_group_near = _declare(
    "fl_group_near", c_void_p, c_void_p, c_uint64, c_uint32, c_double, c_uint32, c_void_p
)


def mark_near(hashes: Hashes, distance: int, threads: int) -> npt.NDArray[np.bool_]:
    """Which hashes have another one near or equal, under any symmetry (see near_hashes.h).

    Args:
        hashes: (n,) uint64.
        distance: bits, 0 to 16.
        threads: how many search.

    Raises:
        NativeError: ``BAD_ARGUMENT``: another distance, or no thread.

    >>> mark_near(np.array([0b0110, 0b0010, 0b11110000], np.uint64), distance=1, threads=1)
    array([ True,  True, False])
    """
    own = np.ascontiguousarray(hashes, np.uint64)
    near = np.empty(own.size, np.bool_)
    _call(_mark_near, _address(own), own.size, distance, threads, _address(near))
    return near


def near_pairs(
    queries: Hashes, entries: Hashes, distance: int, threads: int
) -> npt.NDArray[np.int64]:
    """Which of some hashes are near which of others: (p, 2) positions, sorted.

    Arguments and errors are those of :func:`mark_near`.

    >>> few, many = np.array([6], np.uint64), np.array([0, 4, 6], np.uint64)
    >>> near_pairs(few, many, distance=1, threads=1)
    array([[0, 1],
           [0, 2]])
    """
    these = np.ascontiguousarray(queries, np.uint64)
    those = np.ascontiguousarray(entries, np.uint64)
    buffer = c_void_p()
    _call(
        _near_pairs,
        _address(these),
        these.size,
        _address(those),
        those.size,
        distance,
        threads,
        byref(buffer),
    )
    return np.frombuffer(_take(buffer), np.int64).reshape(-1, 2)


def group_near(
    hashes: Hashes, pictures: Pixels, distance: int, correlation: float, threads: int
) -> npt.NDArray[np.int64]:
    """The group of each picture, by its first member (see near_groups.h).

    Args:
        hashes: (n,) uint64.
        pictures: (n, 16, 16) uint8, the grey picture of each hash, stretched to all levels.
        distance: bits, 0 to 16: hashes no farther apart name the candidates.
        correlation: what two pictures are to have at least, under the symmetry of their hashes.
        threads: how many search.

    Raises:
        NativeError: ``BAD_ARGUMENT``: another distance, or no thread.

    >>> ramp = np.tile(np.arange(16, dtype=np.uint8) * 17, (16, 1))
    >>> pictures = np.stack([ramp, ramp[:, ::-1], ramp * 0 + 7])
    >>> hashes = np.array([0, 0xAAAAAAAAAAAAAAAA, 0], np.uint64)
    >>> group_near(hashes, pictures, distance=0, correlation=0.9, threads=1)
    array([0, 0, 2])
    """
    own = np.ascontiguousarray(hashes, np.uint64)
    if pictures.shape != (own.size, 16, 16) or pictures.dtype != np.uint8:
        raise ValueError(
            f"pictures must be uint8 of shape ({own.size}, 16, 16), not {pictures.dtype} "
            f"{pictures.shape}"
        )
    shown = np.ascontiguousarray(pictures)
    groups = np.empty(own.size, np.int64)
    _call(
        _group_near,
        _address(own),
        _address(shown),
        own.size,
        distance,
        correlation,
        threads,
        _address(groups),
    )
    return groups


def has_repeats(order: npt.NDArray[np.int64], samples: int) -> bool:
    """Whether some sample comes twice in an order.

    Raises:
        NativeError: ``BAD_ARGUMENT``: a sample is not 0 to ``samples`` - 1.

    >>> has_repeats(np.array([2, 0, 1]), 3), has_repeats(np.array([2, 0, 2]), 3)
    (False, True)
    """
    here = np.ascontiguousarray(order, np.int64)
    repeats = c_int32()
    _call(_has_repeats, _address(here), here.size, samples, byref(repeats))
    return bool(repeats.value)


# ---- Decoding ----

_image_size = _declare(
    "fl_image_size", c_void_p, c_uint64, c_int32, POINTER(c_uint32), POINTER(c_uint32)
)
_decode = _declare("fl_decode", c_void_p, c_uint64, c_int32, c_void_p, c_uint32, c_uint32)
_resize = _declare(
    "fl_resize",
    c_void_p,
    c_uint32,
    c_uint32,
    c_uint32,
    c_uint32,
    c_int32,
    c_int32,
    c_void_p,
)


def image_size(payload: BytesLike, codec: int) -> tuple[int, int]:
    """Height and width of a record, from its header.

    Raises:
        NativeError: the bytes are no image of this codec.
    """
    source = _as_bytes(payload)
    height, width = c_uint32(), c_uint32()
    _call(_image_size, _address(source), source.size, codec, byref(height), byref(width))
    return height.value, width.value


def decode(payload: BytesLike, codec: int) -> Pixels:
    """A whole record as RGB: uint8 of shape (height, width, 3), Pillow's pixels to the bit.

    Args:
        payload: the record's bytes.
        codec: its number in the index: jpeg, dct or qoi.

    Raises:
        NativeError: the bytes are no image of this codec, or a damaged one.

    >>> decode(qoi_encode(np.full((2, 3, 3), 7, np.uint8)), codec=2).shape
    (2, 3, 3)
    """
    source = _as_bytes(payload)
    height, width = image_size(source, codec)
    rgb = np.empty((height, width, 3), np.uint8)
    _call(_decode, _address(source), source.size, codec, _address(rgb), height, width)
    return rgb


def resize(rgb: Pixels, height: int, width: int, resampling: int, order: int = 0) -> Pixels:
    """Resample as Pillow's ``Image.resize`` does, bit for bit.

    Args:
        rgb: uint8 of shape (h, w, 3), contiguous.
        height: of the result.
        width: of the result.
        resampling: the filter, by Pillow's number: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic,
            4 box, 5 Hamming.
        order: of the passes, by the number of the rule in resize.h: 0 is that of Pillow 13.

    Raises:
        NativeError: a side of nothing, or no such filter.

    >>> int(resize(np.full((4, 4, 3), 9, np.uint8), 2, 2, resampling=2).max())
    9
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"pixels must be uint8 of shape (h, w, 3), not {rgb.dtype} {rgb.shape}")
    source = np.ascontiguousarray(rgb)
    out = np.empty((height, width, 3), np.uint8)
    sides = *source.shape[:2], height, width
    _call(_resize, _address(source), *sides, int(resampling), order, _address(out))
    return out
