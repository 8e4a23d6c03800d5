"""Writes what a search for bad input begins with: small generated images in every form.

    python tests/native/fuzz/make_corpus.py build/fuzz

puts files into build/fuzz/TARGET/corpus, where `python setup.py fuzz_native --target=TARGET`
looks.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from fastload.native import library as native

Pixels = npt.NDArray[np.uint8]

SIDES = ((1, 1), (8, 8), (17, 9), (33, 40))


def pictures() -> Iterator[Pixels]:
    """Waves with noise, and flat patches: (height, width, 3)."""
    draw = np.random.default_rng(0)
    for width, height in SIDES:
        y, x = np.mgrid[:height, :width]
        waves = 128 + 100 * np.sin(0.3 * x)[..., None] * np.cos(0.2 * y[..., None] + np.arange(3))
        noisy = waves + draw.normal(0, 20, waves.shape)
        flat = np.where((x // 8 + y // 8)[..., None] % 2, 200, waves)
        for picture in (noisy, flat):
            yield np.clip(picture, 0, 255).astype(np.uint8)


def jpegs() -> Iterator[bytes]:
    """Sequential and progressive, all samplings, grey, RGB and CMYK, with and without restarts."""
    for number, pixels in enumerate(pictures()):
        image = Image.fromarray(pixels)
        for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
            for progressive in (False, True):
                yield jpeg(image, subsampling=subsampling, progressive=progressive)
        yield jpeg(image, restart_marker_rows=1)
        yield jpeg(image, restart_marker_blocks=2, optimize=True)
        yield jpeg(image, keep_rgb=True)
        yield jpeg(image.convert("L"), progressive=number % 2 == 1)
        yield jpeg(image.convert("CMYK"))


def jpeg(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "jpeg", quality=80, **options)
    return file.getvalue()


def arithmetic(file: bytes) -> bytes:
    """`file` that claims to be coded arithmetically: noise, but Pillow writes nothing better."""
    return file.replace(b"\xff\xc0", b"\xff\xc9", 1).replace(b"\xff\xc2", b"\xff\xca", 1)


def seekable_jpegs() -> Iterator[bytes]:
    for file in jpegs():
        try:
            yield native.jpeg_transcode(file).jpeg
        except native.NativeError:
            continue  # CMYK


def groups(record: bytes) -> bytes:
    """Something like a group: the end of a record, with the two bytes that the target takes off."""
    return bytes((len(record) % 256, len(record) // 7 % 256)) + record[-200:]


def seeds() -> Iterator[tuple[str, bytes]]:
    """Target and input."""
    for pixels in pictures():
        yield "qoi", native.qoi_encode(pixels)
    for file in jpegs():
        yield "jpeg_region", file
        yield "jpeg_region", arithmetic(file)
    for file in seekable_jpegs():
        record = native.dct_of_jpeg(file)
        yield "jpeg_region", file
        yield "jpeg_cut", file
        yield "dct", record
        yield "dct_blocks", groups(record)


def main() -> None:
    root = Path(sys.argv[1])
    for number, (target, content) in enumerate(seeds()):
        folder = root / target / "corpus"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"seed-{number:03}").write_bytes(content)


if __name__ == "__main__":
    main()
