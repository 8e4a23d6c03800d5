"""Image files of every kind, as bytes: those that load, odd ones, and bad ones."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.conftest import picture

FIXTURES = Path(__file__).parent / "files"


def photo(height: int = 37, width: int = 53, seed: int = 1) -> Image.Image:
    return Image.fromarray(picture(np.random.default_rng(seed), height, width))


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    size = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", size) + png_chunk(b"IDAT", b"")


def with_byte(data: bytes, place: int, value: int) -> bytes:
    return data[:place] + bytes([value]) + data[place + 1 :]


def exif(orientation: int, thumbnail: bytes = b"") -> bytes:
    """EXIF with an orientation and, in its second directory, a JPEG thumbnail."""
    first = struct.pack("<HHHII", 1, 0x0112, 3, 1, orientation)
    second_at = 8 + len(first) + 4
    image_at = second_at + 2 + 2 * 12 + 4
    second = struct.pack("<H", 2)
    second += struct.pack("<HHII", 0x0201, 4, 1, image_at)
    second += struct.pack("<HHII", 0x0202, 4, 1, len(thumbnail)) + bytes(4)
    head = b"Exif\0\0II*\0" + struct.pack("<I", 8)
    return head + first + struct.pack("<I", second_at) + second + thumbnail


def from_pillow() -> dict[str, bytes]:
    rgb, grey = photo(), photo().convert("L")
    cmyk = saved(rgb.convert("CMYK"), "JPEG", quality=90)
    adobe = cmyk.index(b"Adobe") + 11
    jpeg = saved(rgb, "JPEG", quality=85)
    frames = [photo(seed=seed) for seed in (2, 3, 4)]
    wide = Image.fromarray(picture(np.random.default_rng(9), 1, 65_500))
    alpha = rgb.convert("RGBA")
    alpha.putalpha(grey)
    sixteen = Image.fromarray(np.arange(37 * 53, dtype=np.uint16).reshape(37, 53) * 33)
    return {
        "jpeg_444.jpg": saved(rgb, "JPEG", subsampling=0),
        "jpeg_422.jpg": saved(rgb, "JPEG", subsampling=1),
        "jpeg_420.jpg": saved(rgb, "JPEG", subsampling=2),
        "jpeg_grey.jpeg": saved(grey, "JPEG"),
        "jpeg_progressive.JPG": saved(rgb, "JPEG", progressive=True),
        "jpeg_optimised.JpEg": saved(rgb, "JPEG", optimize=True),
        "jpeg_quality_100.jpg": saved(rgb, "JPEG", quality=100),
        "jpeg_cmyk.jpg": cmyk,
        "jpeg_ycck.jpg": with_byte(cmyk, adobe, 2),
        "jpeg_restarts.jpg": saved(rgb, "JPEG", restart_marker_rows=1),
        "jpeg_turned.jpg": saved(rgb, "JPEG", exif=exif(6)),
        "jpeg_with_thumbnail.jpg": saved(rgb, "JPEG", exif=exif(8, saved(photo(8, 8), "JPEG"))),
        "jpeg_with_profile.jpg": saved(rgb, "JPEG", icc_profile=b"no profile at all" * 9),
        "jpeg_with_comment.jpg": saved(rgb, "JPEG", comment=b"\xff\xd8 is not an image"),
        "jpeg_with_trailing_bytes.jpg": jpeg + b"and then some" * 50,
        "jpeg_with_trailing_jpeg.jpg": jpeg + jpeg,
        "jpeg_mpo.jpg": saved(rgb, "MPO", save_all=True, append_images=frames),
        "jpeg_1x1.jpg": saved(rgb.crop((3, 3, 4, 4)), "JPEG"),
        "jpeg_65500_wide.jpg": saved(wide, "JPEG"),
        "jpeg_65500_high.jpg": saved(wide.transpose(Image.Transpose.ROTATE_90), "JPEG"),
        "jpeg_named.png": jpeg,
        "png_named.jpg": saved(rgb, "PNG"),
        "webp_named.tiff": saved(rgb, "WEBP", lossless=True),
        "png_1_bit.png": saved(rgb.convert("1"), "PNG"),
        "png_grey.png": saved(grey, "PNG"),
        "png_16_bit.png": saved(sixteen, "PNG"),
        "png_palette.png": saved(rgb.convert("P"), "PNG"),
        "png_palette_transparent.png": saved(
            rgb.convert("P"), "PNG", transparency=bytes(range(256))
        ),
        "png_alpha.png": saved(alpha, "PNG"),
        "png_grey_alpha.png": saved(alpha.convert("LA"), "PNG"),
        "png_interlaced_name.PNG": saved(rgb, "PNG", optimize=True),
        "png_1x1.png": saved(rgb.crop((0, 0, 1, 1)), "PNG"),
        "png_65500_wide.png": saved(wide, "PNG"),
        "png_animated.png": saved(rgb, "PNG", save_all=True, append_images=frames),
        "gif_named.png": saved(rgb, "GIF"),
        "gif_animated_named.jpg": saved(rgb, "GIF", save_all=True, append_images=frames),
        "webp_lossy.webp": saved(rgb, "WEBP", quality=80),
        "webp_alpha.webp": saved(alpha, "WEBP", lossless=True),
        "webp_animated.webp": saved(rgb, "WEBP", save_all=True, append_images=frames),
        "bmp.bmp": saved(rgb, "BMP"),
        "bmp_palette.bmp": saved(rgb.convert("P"), "BMP"),
        "ppm.ppm": saved(rgb, "PPM"),
        "pgm.pgm": saved(grey, "PPM"),
        "tiff.tif": saved(rgb, "TIFF"),
        "tiff_turned.tif": saved(rgb, "TIFF", tiffinfo={0x0112: 6}),
        "tiff_cmyk.tiff": saved(rgb.convert("CMYK"), "TIFF"),
        "tiff_float.tiff": saved(rgb.convert("F"), "TIFF"),
        "tiff_16_bit.tiff": saved(sixteen, "TIFF"),
    }


def damaged() -> dict[str, bytes]:
    """Bad files: some of them Pillow reads nevertheless, and so they are packed."""
    jpeg, png = saved(photo(97, 103), "JPEG", quality=90), saved(photo(), "PNG")
    frame = jpeg.index(b"\xff\xc0")
    scan = jpeg.index(b"\xff\xda") + 14
    return {
        "bad_empty.jpg": b"",
        "bad_zeros.jpg": bytes(1000),
        "bad_text.png": b"this is not an image\n" * 9,
        "bad_html_named.webp": b"<html>404</html>",
        "bad_jpeg_half.jpg": jpeg[: len(jpeg) // 2],
        "bad_jpeg_header_alone.jpg": jpeg[:scan],
        "bad_jpeg_two_bytes.jpg": jpeg[:2],
        "bad_jpeg_without_end.jpg": jpeg[:-2],
        "bad_jpeg_last_byte_missing.jpg": jpeg[:-1],
        "bad_jpeg_damaged_scan.jpg": with_byte(jpeg, scan + 1500, jpeg[scan + 1500] ^ 0x55),
        "bad_jpeg_marker_in_scan.jpg": jpeg[: scan + 900] + b"\xff\xd3" + jpeg[scan + 900 :],
        "bad_jpeg_junk_before.jpg": b"junk" + jpeg,
        "bad_jpeg_12_bit.jpg": with_byte(jpeg, frame + 4, 12),
        "bad_jpeg_lossless.jpg": with_byte(jpeg, frame + 1, 0xC3),
        "bad_jpeg_no_width.jpg": with_byte(with_byte(jpeg, frame + 7, 0), frame + 8, 0),
        "bad_jpeg_two_components.jpg": with_byte(jpeg, frame + 9, 2),
        "bad_png_half.png": png[: len(png) // 2],
        "bad_png_checksum.png": with_byte(png, 40, png[40] ^ 1),
        "bad_png_no_pixels.png": png_header(20, 20),
        "bad_bomb.png": png_header(20_000, 20_000),
        "bad_webp_half.webp": saved(photo(), "WEBP")[:200],
        "bad_tiff_half.tif": saved(photo(), "TIFF")[:1000],
        "bad_gif_half.png": saved(photo(), "GIF")[:600],
    }


def from_libjpeg() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(FIXTURES.glob("*.jpg"))}


def all_kinds() -> dict[str, bytes]:
    return {**from_pillow(), **from_libjpeg(), **damaged()}
