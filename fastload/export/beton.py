"""FFCV's file format (version 2 of it): fields, a row of metadata a sample, pages of image bytes.

A file is, in little-endian numbers:

1. the header: version, number of fields, page size, number of samples, where the allocations are;
2. of each field its type, its name and 1024 bytes of arguments, which ours do not need;
3. of each sample a row: how the image is stored, its width, height and place, its label;
4. pages, which begin at a multiple of their size: images one behind the other, none across pages,
   zeros to the end of each;
5. the allocations: of each image its sample, place and length.

Samples are numbered in ImageFolder's order. On the pages they lie in the pack's order, which is
shuffled: so FFCV's quasi-random order, which shuffles pages, mixes the classes.
"""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from fastload.errors import PackError
from fastload.export.image_file import encoded_jpeg, image_file, rgb_pixels
from fastload.export.output import new_file
from fastload.export.stream import converted
from fastload.native.library import NativeError, image_size
from fastload.store import Codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from fastload.export.selection import Selection

__all__ = ["Written", "write_beton"]

_VERSION = 2
_HEADER = struct.Struct("<HHIQQ")
_FIELD = struct.Struct("<B16s1024x")
# FFCV's numbers of its field types, and of how an image is stored.
_INT, _RGB_IMAGE = 1, 2
_JPEG, _RAW = 0, 1
_IMAGE = np.dtype([("mode", "<u1"), ("width", "<u2"), ("height", "<u2"), ("place", "<u8")])
_ALLOCATION = np.dtype([("sample", "<u8"), ("place", "<u8"), ("length", "<u8")])
_SIDE = 2**16 - 1
# What FFCV's own writer takes, and the largest power of two that its header has room for.
_PAGE, _LARGEST_PAGE = 1 << 23, 1 << 31
# A JPEG is smaller than its coefficients without entropy coding, but no rule says by how much.
_DCT_TO_JPEG = 2
# Rows turned into allocations at a time.
_STEP = 1 << 16


class Written(NamedTuple):
    """What a file has: images stored as raw pixels, the bytes of these, all bytes."""

    raw: int
    raw_bytes: int
    size: int


class _Stored(NamedTuple):
    mode: int
    data: bytes | memoryview


def write_beton(
    selection: Selection,
    path: Path,
    workers: int,
    progress: Callable[[int, int, int, int], None],
    *,
    quality: int | None = None,
) -> Written:
    """Write a ``.beton`` file with the fields ``image`` and, where there are classes, ``label``.

    JPEG is passed on as it is; what is none is stored as raw pixels. In memory is one row a
    sample, some 40 bytes, and the images that are being converted.

    Args:
        selection: the images.
        path: of the file, not there yet.
        workers: threads that convert.
        progress: called with how far it is.
        quality: make a JPEG of this quality of what is none.

    Raises:
        PackError: an image does not fit the format or is damaged, there is such a file, or the
            disk is full.
    """
    page = _page_size(selection)
    with new_file(path) as file:
        return _Writer(selection, file, page).write(workers, progress, quality)


class _Writer:
    def __init__(self, selection: Selection, file: IO[bytes], page: int) -> None:
        index, samples = selection.pack.index, selection.samples
        self._selection = selection
        self._file = file
        self._page = page
        self._labelled = not selection.pack.manifest.unlabelled
        self._rows = np.zeros(len(samples), _row_type(self._labelled))
        self._rows["image"]["width"] = index.width[samples]
        self._rows["image"]["height"] = index.height[samples]
        if self._labelled:
            self._rows["label"] = index.label[samples]
        self._lengths = np.zeros(len(samples), np.uint32)
        self._rows_at = _HEADER.size + len(self._fields())

    def write(
        self,
        workers: int,
        progress: Callable[[int, int, int, int], None],
        quality: int | None,
    ) -> Written:
        self._write_pages(
            converted(
                self._selection,
                lambda record: _stored(self._selection, record, quality),
                workers,
                progress,
            )
        )
        allocations_at = self._file.tell()
        for part in self._allocations():
            self._file.write(part.tobytes())
        size = self._file.tell()
        self._file.seek(0)
        fields = 1 + self._labelled
        self._file.write(
            _HEADER.pack(_VERSION, fields, self._page, len(self._selection), allocations_at)
        )
        self._file.write(self._fields())
        self._file.write(self._rows.data)
        raw = self._rows["image"]["mode"] == _RAW
        raw_bytes = int(self._lengths[raw].sum(dtype=np.int64))
        return Written(int(raw.sum()), raw_bytes, size)

    def _fields(self) -> bytes:
        image = _FIELD.pack(_RGB_IMAGE, b"image")
        return image + _FIELD.pack(_INT, b"label") if self._labelled else image

    def _write_pages(self, images: Iterator[_Stored]) -> None:
        place = _aligned(self._rows_at + self._rows.nbytes, self._page)
        self._file.seek(place)
        for sample, image in zip(self._selection.order, images, strict=True):
            length = len(image.data)
            if length > _aligned(place, self._page) - place:
                place = _aligned(place, self._page)
                self._file.seek(place)
            if length > self._page:
                raise _too_large(self._selection, int(sample), length, self._page)
            self._file.write(image.data)
            row = self._rows[sample]["image"]
            row["mode"], row["place"] = image.mode, place
            self._lengths[sample] = length
            place += length
        self._file.seek(_aligned(place, self._page))

    def _allocations(self) -> Iterator[NDArray[np.void]]:
        order = self._selection.order
        for start in range(0, len(order), _STEP):
            samples = order[start : start + _STEP]
            part = np.empty(len(samples), _ALLOCATION)
            part["sample"] = samples
            part["place"] = self._rows["image"]["place"][samples]
            part["length"] = self._lengths[samples]
            yield part


def _row_type(labelled: bool) -> np.dtype[np.void]:
    """Of a sample: the image's fields without gaps, the label where a C compiler would put it."""
    fields = [("image", _IMAGE), ("label", np.dtype("<i8"))]
    return np.dtype(fields if labelled else fields[:1], align=True)


def _aligned(place: int, page: int) -> int:
    return -(-place // page) * page


def _stored(selection: Selection, record: int, quality: int | None) -> _Stored:
    """A record as FFCV takes it.

    FFCV decodes into room for as many pixels as the row says and does not look: a JPEG of another
    size must not get there.
    """
    pack = selection.pack
    if pack.index.codec[record] in (Codec.JPEG, Codec.DCT):
        jpeg = image_file(pack, record).data
        try:
            size = image_size(jpeg, Codec.JPEG)
        except NativeError as error:
            raise pack.damaged(record, str(error)) from error
        if size != (pack.index.height[record], pack.index.width[record]):
            raise pack.damaged(record, "it has another size than the index says")
        return _Stored(_JPEG, jpeg)
    pixels = rgb_pixels(pack, record, pack.sound_payload(record))
    if quality is not None:
        return _Stored(_JPEG, encoded_jpeg(pack, record, pixels, quality))
    return _Stored(_RAW, pixels.data.cast("B"))


def _page_size(selection: Selection) -> int:
    """A power of two in which every image has room; most images of photos fit FFCV's own.

    Raises:
        PackError: an image is larger than any page, or has sides that the format cannot tell.
    """
    index, samples = selection.pack.index, selection.samples
    largest = 0
    for start in range(0, len(samples), _STEP):
        records = samples[start : start + _STEP]
        widths = index.width[records].astype(np.int64)
        heights = index.height[records].astype(np.int64)
        sides = np.maximum(widths, heights)
        if int(sides.max()) > _SIDE:
            record = int(records[sides.argmax()])
            raise PackError(
                f"{selection.pack.root}: {selection.pack.describe(record)} has "
                f"{index.width[record]} x {index.height[record]} pixels, an FFCV file has "
                f"{_SIDE:,} a side at most. Pack with --max-side."
            )
        codecs, lengths = index.codec[records], index.length[records].astype(np.int64)
        sizes = np.where(codecs == Codec.DCT, _DCT_TO_JPEG * lengths, lengths)
        sizes = np.where(codecs > Codec.DCT, 3 * widths * heights, sizes)
        if int(sizes.max()) > _LARGEST_PAGE:
            at = int(sizes.argmax())
            raise _too_large(selection, start + at, int(sizes[at]), _LARGEST_PAGE)
        largest = max(largest, int(sizes.max()))
    return max(_PAGE, 1 << (largest - 1).bit_length())


def _too_large(selection: Selection, sample: int, length: int, page: int) -> PackError:
    record = int(selection.samples[sample])
    return PackError(
        f"{selection.pack.root}: {selection.pack.describe(record)} takes {length:,} bytes, a page "
        f"of an FFCV file has room for {page:,}. Pack with --max-side."
    )
