"""DALI's webdataset reader opens the shards of a pack as they are, on the CPU alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastload.store import open_pack
from tests.interoperability.conftest import records

pytest.importorskip("nvidia.dali")


def test_webdataset_reader(jpeg_pack: Path) -> None:
    from nvidia.dali import fn, pipeline_def, types

    paths = [
        str(jpeg_pack / "shards" / shard.name) for shard in open_pack(jpeg_pack).manifest.shards
    ]

    @pipeline_def(batch_size=1, num_threads=1, device_id=None)
    def shown() -> Any:
        jpeg, label = fn.readers.webdataset(
            paths=paths, ext=["jpg", "cls"], name="shards", missing_component_behavior="error"
        )
        image = fn.decoders.image(jpeg, output_type=types.RGB, jpeg_fancy_upsampling=True)
        return jpeg, image, label

    pipeline = shown()
    pipeline.build()
    wanted = records(jpeg_pack)
    assert pipeline.epoch_size("shards") == len(wanted)
    for payload, pixels, target in wanted:
        jpeg, image, label = (output.at(0) for output in pipeline.run())
        assert bytes(jpeg) == payload
        assert int(bytes(label)) == target
        # Its decoder's arithmetic is its own.
        difference = np.abs(np.asarray(image).astype(int) - pixels)
        assert difference.shape == pixels.shape
        assert difference.max() <= 3
