"""Hugging Face's datasets opens the shards of a pack as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastload.store import open_pack
from tests.interoperability.conftest import records

datasets = pytest.importorskip("datasets")


@pytest.mark.parametrize("streaming", [False, True])
def test_webdataset_builder(jpeg_pack: Path, tmp_path: Path, streaming: bool) -> None:
    shards = [
        str(jpeg_pack / "shards" / shard.name) for shard in open_pack(jpeg_pack).manifest.shards
    ]
    shown = datasets.load_dataset(
        "webdataset",
        data_files={"train": shards},
        split="train",
        streaming=streaming,
        cache_dir=str(tmp_path),
    )
    for number, (sample, (_, pixels, label)) in enumerate(
        zip(shown, records(jpeg_pack), strict=True)
    ):
        assert (sample["__key__"], sample["cls"]) == (f"{number:09d}", label)
        np.testing.assert_array_equal(sample["jpg"].convert("RGB"), pixels)
