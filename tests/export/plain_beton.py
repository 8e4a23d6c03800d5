"""A second reader of FFCV's files: struct alone, checks every byte that is not an image's."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

MODES = ("jpg", "raw")


class Sample(NamedTuple):
    """An image as it lies in the file, its pixels, and its label if the file has labels."""

    mode: str
    place: int
    data: bytes
    pixels: np.ndarray
    label: int | None


def read(path: Path) -> tuple[int, list[Sample]]:
    """The size of a page, and the samples in order."""
    file = path.read_bytes()
    version, field_count, page, count, table = struct.unpack_from("<HHIQQ", file, 0)
    assert version == 2
    assert page >= 2**21 and page.bit_count() == 1
    fields = []
    at = 24
    for _ in range(field_count):
        kind, name, arguments = struct.unpack_from("<B16s1024s", file, at)
        assert arguments == bytes(1024)
        fields.append((kind, name.rstrip(b"\0")))
        at += 1041
    assert fields == [(2, b"image"), (1, b"label")][:field_count]
    # (sample, place, length) to the end of the file, in the order of the places
    allocations = list(struct.iter_unpack("<QQQ", file[table:]))
    assert sorted(sample for sample, _, _ in allocations) == list(range(count))
    lengths = {place: length for _, place, length in allocations}
    assert sorted(lengths) == [place for _, place, _ in allocations]
    owners = {place: sample for sample, place, _ in allocations}
    samples = []
    for number in range(count):
        mode, width, height, place = struct.unpack_from("<BHHQ", file, at)
        label = None
        if field_count == 2:
            assert file[at + 13 : at + 16] == bytes(3)
            label = struct.unpack_from("<q", file, at + 16)[0]
        at += 24 if field_count == 2 else 13
        assert owners[place] == number
        assert place // page == (place + lengths[place] - 1) // page, "an image lies on one page"
        data = file[place : place + lengths[place]]
        if MODES[mode] == "jpg":
            with Image.open(io.BytesIO(data)) as image:
                assert image.format in ("JPEG", "MPO")
                pixels = np.asarray(image.convert("RGB"))
        else:
            pixels = np.frombuffer(data, np.uint8).reshape(height, width, 3)
        assert pixels.shape == (height, width, 3)
        samples.append(Sample(MODES[mode], place, data, pixels, label))
    check_gaps(file, at, table, page, sorted(lengths.items()))
    return page, samples


def check_gaps(file: bytes, start: int, end: int, page: int, images: list[tuple[int, int]]) -> None:
    """Between what is told there are zeros; no page is empty, and an image begins one only where
    it does not fit the page before."""
    assert images[0][0] == -(-start // page) * page
    assert end == -(-sum(images[-1]) // page) * page
    for place, length in images:
        assert file[start:place] == bytes(place - start)
        if start != place and place != images[0][0]:
            assert place % page == 0 and place - start < min(page, length)
        start = place + length
    assert file[start:end] == bytes(end - start)
