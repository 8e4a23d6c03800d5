"""1000 photos, exported: the very bytes of the records in every format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import fastload
from fastload.store import open_pack
from tests.export.conftest import export
from tests.export.plain_beton import read
from tests.export.test_webdataset import contents

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.mark.parametrize("codec", ["jpeg", "dct"])
def test_jpegs_are_those_of_the_jpeg_pack(real_photos: Path, tmp_path: Path, codec: str) -> None:
    jpeg = open_pack(fastload.pack(real_photos, tmp_path / "jpeg.pack").path)
    pack = fastload.pack(real_photos, tmp_path / "a.pack", codec=codec).path
    wanted = [bytes(jpeg.payload(record)) for record in range(len(jpeg))]
    assert jpeg.index.codec.max() == 0

    export(pack, "ffcv", tmp_path / "a.beton")
    page, samples = read(tmp_path / "a.beton")
    assert page == 8 << 20
    assert [sample.data for sample in samples] == [wanted[r] for r in jpeg.index.listing]
    assert [sample.label for sample in samples] == fastload.ImageFolder(pack).targets

    export(pack, "parquet", tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert [row["bytes"] for row in table["image"].to_pylist()] == wanted
    assert table["label"].to_pylist() == jpeg.index.label.tolist()

    export(pack, "webdataset", tmp_path / "shards", "--shard-size", "20MB")
    members = contents(tmp_path / "shards")
    assert [data for name, data in members.items() if name.endswith(".jpg")] == wanted

    export(pack, "imagefolder", tmp_path / "images")
    places = np.argsort(jpeg.index.listing)
    paths = [path for path, _ in fastload.ImageFolder(pack).samples]
    for record, data in enumerate(wanted):
        path = tmp_path / "images" / Path(paths[places[record]]).relative_to(pack)
        assert path.read_bytes() == data
