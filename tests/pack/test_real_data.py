"""Every photo of the real data sets: the very pixels of ImageFolder."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

import fastload
from fastload.native.library import crc32c
from fastload.store import open_pack
from fastload.store.decoding import decode_record

DATA = Path(os.environ.get("FASTLOAD_TEST_DATA", Path(__file__).parents[3] / "shared/data"))


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["imagenet-lt20", "magnetic-tile"])
def test_same_pixels_as_image_folder(name: str, tmp_path: Path) -> None:
    source = DATA / name
    if not source.is_dir():
        pytest.skip(f"{name} is not at {source} (set FASTLOAD_TEST_DATA)")
    theirs = ImageFolder(source)
    report = fastload.pack(source, tmp_path / "data.pack", shard_size="16MB")
    pack = open_pack(report.path)
    assert pack.classes == theirs.classes
    assert not report.rejected
    assert report.bytes_out < 1.05 * report.manifest.source.bytes
    records = pack.index.listing.tolist()
    for record, (path, label), (wanted, _) in zip(records, theirs.samples, theirs, strict=True):
        assert f"{source}/{pack.index.path(record)}" == path
        assert pack.index.label[record] == label
        payload = pack.payload(record)
        assert crc32c(payload) == pack.index.crc32c[record]
        image = Image.open(io.BytesIO(payload)).convert("RGB")
        np.testing.assert_array_equal(np.asarray(image), np.asarray(wanted), err_msg=path)
        native = np.asarray(decode_record(pack, record))
        np.testing.assert_array_equal(native, np.asarray(wanted), err_msg=path)
