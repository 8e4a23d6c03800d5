"""Every photo of the real data sets: the very pixels of ImageFolder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import ImageFolder

import fastload
from fastload.native.library import crc32c
from fastload.pack.recode import recode_pack
from fastload.store import Codec, open_pack
from fastload.store.decoding import decode_record, decode_with_pillow
from tests.pack.test_pack import tree

DATA = Path(os.environ.get("FASTLOAD_TEST_DATA", Path(__file__).parents[3] / "shared/data"))


@pytest.mark.real_data
@pytest.mark.parametrize(("codec", "most"), [("jpeg", 1.05), ("dct", 1.8)])
@pytest.mark.parametrize("name", ["imagenet-lt20", "magnetic-tile"])
def test_same_pixels_as_image_folder(name: str, codec: str, most: float, tmp_path: Path) -> None:
    source = DATA / name
    if not source.is_dir():
        pytest.skip(f"{name} is not at {source} (set FASTLOAD_TEST_DATA)")
    theirs = ImageFolder(source)
    report = fastload.pack(source, tmp_path / "data.pack", codec=codec, shard_size="16MB")
    pack = open_pack(report.path)
    assert pack.classes == theirs.classes
    assert not report.rejected
    assert (pack.index.codec == Codec[codec.upper()]).all()
    assert report.bytes_out < most * report.manifest.source.bytes
    records = pack.index.listing.tolist()
    for record, (path, label), (wanted, _) in zip(records, theirs.samples, theirs, strict=True):
        assert f"{source}/{pack.index.path(record)}" == path
        assert pack.index.label[record] == label
        assert crc32c(pack.payload(record)) == pack.index.crc32c[record]
        for decode in (decode_with_pillow, decode_record):
            image = decode(pack, record)
            np.testing.assert_array_equal(np.asarray(image), np.asarray(wanted), err_msg=path)


@pytest.mark.real_data
def test_recoding_gives_the_same_packs(real_photos: Path, tmp_path: Path) -> None:
    packs = {
        codec: fastload.pack(
            real_photos, tmp_path / f"{codec}.pack", codec=codec, shard_size="32MB"
        ).path
        for codec in ("jpeg", "dct")
    }
    for source, codec in (("jpeg", "dct"), ("dct", "jpeg")):
        output = tmp_path / f"to {codec}.pack"
        recode_pack(open_pack(packs[source]), output, codec, workers=2)
        assert tree(output) == tree(packs[codec])
