"""``--codec dct``: what is stored so, and what stays as it would be without it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastload
from fastload.native.library import NativeCode, NativeError, jpeg_of_dct, jpeg_transcode
from fastload.pack.coefficients import dct_record, jpeg_record
from fastload.pack.encode import Encoded, encode
from fastload.pack.options import Options
from fastload.store import Codec, open_pack
from tests.native.test_dct import components
from tests.pack.image_files import from_pillow, photo, saved
from tests.plain_dct import write_jpeg

DCT = Options(codec="dct")


def encoded(data: bytes, options: Options) -> Encoded:
    outcome = encode(data, options)
    assert isinstance(outcome, Encoded)
    return outcome


@pytest.mark.parametrize("name", [name for name in from_pillow() if name.startswith("jpeg")])
def test_jpeg_sources(name: str) -> None:
    data = from_pillow()[name]
    before, after = encoded(data, Options()), encoded(data, DCT)
    if before.codec is Codec.JPEG:
        assert (after.codec, after.extension) == (Codec.DCT, ".dct")
        assert jpeg_of_dct(after.payload) == before.payload
    else:
        assert after == before
    for fact in ("width", "height", "orientation", "perceptual_hash"):
        assert getattr(after, fact) == getattr(before, fact)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF"])
def test_other_sources_stay(kind: str) -> None:
    data = saved(photo(), kind)
    before, after = encoded(data, Options()), encoded(data, DCT)
    assert after.codec is Codec.QOI
    assert (after.payload, after.extension) == (before.payload, before.extension)


def test_jpegs_without_a_record_stay_jpeg() -> None:
    """A DC of 3000 does not fit."""
    jpeg = write_jpeg(0, 16, 8, components([0x11], [1500, 3000]))
    record = encoded(jpeg, DCT)
    assert (record.codec, record.extension) == (Codec.JPEG, ".jpg")
    assert record.payload == jpeg_transcode(jpeg).jpeg


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("quality", [1, 90, 100])
def test_encoded_jpegs_are_stored_so(kind: str, quality: int) -> None:
    data = saved(photo(90, 120), kind)
    before = encoded(data, Options(quality=quality, max_side=60))
    after = encoded(data, Options(quality=quality, max_side=60, codec="dct"))
    assert (before.codec, after.codec) == (Codec.JPEG, Codec.DCT)
    assert jpeg_of_dct(after.payload) == before.payload
    assert after.psnr == before.psnr
    assert (after.width, after.height) == (60, 45)


def test_a_record_that_does_not_lead_back_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the library may get wrong one day."""
    jpeg = jpeg_transcode(saved(photo(), "JPEG")).jpeg
    other = jpeg_transcode(saved(photo(seed=2), "JPEG")).jpeg
    dct = dct_record(jpeg)
    assert dct is not None
    monkeypatch.setattr("fastload.native.library.jpeg_of_dct", lambda dct: other)
    assert dct_record(jpeg) is None
    with pytest.raises(ValueError, match="has another record"):
        jpeg_record(dct)
    assert encoded(saved(photo(), "JPEG"), DCT).payload == jpeg


@pytest.mark.parametrize("function", ["dct_of_jpeg", "jpeg_transcode"])
def test_no_memory_is_no_fault_of_the_file(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(jpeg: object) -> None:
        raise NativeError(NativeCode.OUT_OF_MEMORY, "out of memory")

    monkeypatch.setattr(f"fastload.native.library.{function}", exhausted)
    with pytest.raises(MemoryError, match="out of memory"):
        encode(saved(photo(), "JPEG"), DCT)


def test_the_pack_announces_its_records(label_folder: Path, tmp_path: Path) -> None:
    report = fastload.pack(label_folder, tmp_path / "dct.pack", codec="dct")
    assert report.manifest.features == ("dct",)
    assert report.manifest.version == (1, 1)
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "x.png").write_bytes(saved(photo(), "PNG"))
    assert fastload.pack(tmp_path / "data", codec="dct").manifest.features == ()
    (tmp_path / "data" / "a" / "\udcff.jpg").write_bytes(saved(photo(), "JPEG"))
    both = fastload.pack(tmp_path / "data", tmp_path / "both.pack", codec="dct")
    assert both.manifest.features == ("binary-paths", "dct")
    assert open_pack(both.path).manifest == both.manifest


def test_members_are_named_for_tar_readers(label_folder: Path, tmp_path: Path) -> None:
    """WebDataset's way: the members of one stem are one sample."""
    report = fastload.pack(label_folder, tmp_path / "dct.pack", codec="dct")
    pack = open_pack(report.path)
    samples: dict[str, dict[str, bytes]] = {}
    with tarfile.open(pack.shard_file(0)) as tar:
        for member in tar:
            stem, _, extension = member.name.partition(".")
            file = tar.extractfile(member)
            assert file is not None
            samples.setdefault(stem, {})[extension] = file.read()
    assert list(samples) == [f"{record:09d}" for record in range(22)]
    for record, sample in enumerate(samples.values()):
        assert int(sample.pop("cls")) == pack.index.label[record]
        ((extension, payload),) = sample.items()
        assert extension == ("dct" if pack.index.codec[record] == Codec.DCT else "qoi")
        if extension == "dct":
            wanted = Image.open(label_folder / pack.index.path(record)).convert("RGB")
            shown = Image.open(io.BytesIO(jpeg_of_dct(payload))).convert("RGB")
            np.testing.assert_array_equal(np.asarray(shown), np.asarray(wanted))


@pytest.mark.parametrize("workers", [1, 5])
def test_same_bytes_for_any_number_of_workers(
    label_folder: Path, tmp_path: Path, workers: int
) -> None:
    packs = [
        fastload.pack(label_folder, tmp_path / f"{count}", codec="dct", workers=count).path
        for count in (3, workers)
    ]
    shards = [(pack / "shards" / "00000.tar").read_bytes() for pack in packs]
    assert shards[0] == shards[1]
