"""Every kind of image file: the pixels that ImageFolder gives, or a rejection with its reason."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets.folder import pil_loader

from fastload.pack import pack
from fastload.store import Codec, Pack, open_pack
from tests.pack.image_files import all_kinds, damaged, from_libjpeg, from_pillow, photo, saved
from tests.plain_reader import read

KINDS = all_kinds()
TRANSCODED = set(from_libjpeg()) | {
    name for name in from_pillow() if name.startswith("jpeg") and name[5:9] not in ("cmyk", "ycck")
}
# Decoders smooth the blocks of scans that never came.
TRANSCODED.remove("progressive_without_last_scans.jpg")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("kinds") / "kinds"
    for label, name in enumerate(sorted(KINDS)):
        path = root / f"class {label % 3}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(KINDS[name])
    return root


@pytest.fixture(scope="module", params=["jpeg", "dct"])
def packed(folder: Path, request: pytest.FixtureRequest) -> Pack:
    """The pack of all kinds, with JPEG images in either codec."""
    output = folder.with_suffix(f".{request.param}.pack")
    return open_pack(pack(folder, output, codec=request.param, workers=2).path)


as_jpeg = pytest.mark.parametrize("packed", ["jpeg"], indirect=True)


@pytest.fixture(scope="module")
def images(packed: Pack) -> dict[str, Image.Image]:
    """What the second reader finds, by file name."""
    _, samples = read(packed.root)
    return {Path(path).name: image for path, _, image, _ in samples}


@pytest.fixture(scope="module")
def rejected(packed: Pack) -> dict[str, str]:
    with (packed.root / "rejected.csv").open(newline="") as file:
        return {Path(row["path"]).name: row["reason"] for row in csv.DictReader(file)}


def loaded_by_image_folder(folder: Path, name: str) -> Image.Image | Exception:
    (path,) = folder.glob(f"*/{name}")
    try:
        return pil_loader(path)
    except Exception as error:  # noqa: BLE001 - plugins raise anything
        return error


@pytest.mark.parametrize("name", KINDS)
def test_same_pixels_as_image_folder_or_a_named_rejection(
    name: str, folder: Path, images: dict[str, Image.Image], rejected: dict[str, str]
) -> None:
    wanted = loaded_by_image_folder(folder, name)
    if isinstance(wanted, Exception):
        assert name not in images
        words = re.sub(r" '?[^ ]*" + re.escape(name) + r"'?", "", str(wanted))
        assert rejected[name] in (re.sub(r" <.*>", "", words), "the file is empty")
    else:
        assert name not in rejected
        np.testing.assert_array_equal(np.asarray(images[name]), np.asarray(wanted))


def test_most_kinds_load_and_most_damaged_ones_do_not(rejected: dict[str, str]) -> None:
    assert set(rejected) <= set(damaged())
    assert len(rejected) >= len(damaged()) * 2 // 3


def test_codec_of_each_kind(packed: Pack) -> None:
    codecs = {Path(packed.index.path(r)).name: packed.index.codec[r] for r in range(len(packed))}
    stored = Codec[packed.manifest.options["codec"].upper()]
    transcoded = {name for name, codec in codecs.items() if codec == stored}
    assert set(codecs.values()) == {stored, Codec.QOI}
    assert not TRANSCODED - transcoded
    assert not {name for name in transcoded if name.startswith(("png", "gif", "bmp", "tiff"))}
    assert "jpeg_cmyk.jpg" not in transcoded


def test_orientation_is_kept_for_information(packed: Pack) -> None:
    turned = {
        Path(packed.index.path(r)).name: int(packed.index.orientation[r])
        for r in range(len(packed))
    }
    assert turned["jpeg_turned.jpg"] == 6
    assert turned["jpeg_with_thumbnail.jpg"] == 8
    # Pillow turns TIFF by itself, so there is nothing left to turn.
    assert turned["tiff_turned.tif"] == 0
    assert turned["jpeg_444.jpg"] == 0


@as_jpeg
def test_metadata_and_trailing_bytes_are_dropped(packed: Pack, images: object) -> None:
    payloads = {Path(path).name: data for path, _, _, data in read(packed.root)[1]}
    for name in ("jpeg_with_thumbnail.jpg", "jpeg_with_profile.jpg", "jpeg_with_comment.jpg"):
        assert not {0xE1, 0xE2, 0xFE} & set(markers(payloads[name]))
    assert payloads["jpeg_with_trailing_bytes.jpg"][-2:] == b"\xff\xd9"
    assert len(payloads["jpeg_with_trailing_jpeg.jpg"]) < len(KINDS["jpeg_named.png"]) * 1.2


@as_jpeg
def test_transcoded_jpeg_has_a_restart_interval_a_row(packed: Pack) -> None:
    payloads = {Path(path).name: data for path, _, _, data in read(packed.root)[1]}
    data = payloads["jpeg_420.jpg"]
    found = Counter(markers(data))
    assert found[0xC0] == found[0xDA] == found[0xDD] == 1
    # 37 rows of pixels are three rows of MCUs, 53 columns four MCUs.
    assert data[data.index(b"\xff\xdd") + 4 :][:2] == b"\x00\x04"
    scan = data[data.index(b"\xff\xda") :]
    assert re.findall(rb"\xff([\xd0-\xd7])", scan) == [b"\xd0", b"\xd1"]


def markers(jpeg: bytes) -> list[int]:
    """The marker codes of the segments before the scan, and the scan's."""
    place, found = 2, []
    while True:
        assert jpeg[place] == 0xFF
        found.append(jpeg[place + 1])
        if jpeg[place + 1] == 0xDA:
            return found
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")


def test_bombs_are_refused_by_pillows_own_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    (root / "a").mkdir(parents=True)
    for kind, extension in (("JPEG", "jpg"), ("PNG", "png")):
        for side in (10, 40, 100):
            (root / "a" / f"{side}.{extension}").write_bytes(saved(photo(side, side), kind))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.warns(Image.DecompressionBombWarning):
        report = pack(root, workers=1)
    assert [path for path, _ in report.rejected] == ["a/100.jpg", "a/100.png"]
    assert all("decompression bomb" in reason for _, reason in report.rejected)
    assert report.manifest.records == 4


def test_verbatim_keeps_the_bytes_of_every_kind(folder: Path, tmp_path: Path) -> None:
    report = pack(folder, tmp_path / "verbatim.pack", verbatim=True, workers=2)
    _, samples = read(report.path)
    for path, _, image, data in samples:
        assert data == (folder / path).read_bytes()
        np.testing.assert_array_equal(np.asarray(image), np.asarray(pil_loader(folder / path)))
    codecs = Counter(open_pack(report.path).index.codec.tolist())
    assert set(codecs) == {Codec.JPEG, Codec.FILE}
    assert len(samples) + len(report.rejected) == len(KINDS)
