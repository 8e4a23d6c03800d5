"""Python's tarfile and the system's tar open the shards of a pack as they are."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastload.store import open_pack
from tests.interoperability.conftest import records


def members(pack: Path, tar_names: list[str]) -> list[tuple[str, bytes]]:
    found = []
    for name in tar_names:
        with tarfile.open(pack / "shards" / name) as tar:
            for member in tar:
                content = tar.extractfile(member)
                assert content is not None
                found.append((member.name, content.read()))
    return found


def test_tarfile(jpeg_pack: Path) -> None:
    names = [shard.name for shard in open_pack(jpeg_pack).manifest.shards]
    found, wanted = members(jpeg_pack, names), records(jpeg_pack)
    assert [name for name, _ in found] == [
        f"{record:09d}.{kind}" for record in range(len(wanted)) for kind in ("jpg", "cls")
    ]
    assert [data for _, data in found[::2]] == [payload for payload, _, _ in wanted]
    assert [int(data) for _, data in found[1::2]] == [label for _, _, label in wanted]
    for (_, data), (_, pixels, _) in zip(found[::2], wanted, strict=True):
        np.testing.assert_array_equal(Image.open(io.BytesIO(data)).convert("RGB"), pixels)


@pytest.mark.skipif(shutil.which("tar") is None, reason="there is no tar program")
def test_tar(jpeg_pack: Path, tmp_path: Path) -> None:
    for shard in open_pack(jpeg_pack).manifest.shards:
        file = jpeg_pack / "shards" / shard.name
        done = subprocess.run(
            ["tar", "-xf", file, "-C", tmp_path], check=True, capture_output=True, text=True
        )
        assert done.stderr == ""
    for record, (payload, _, label) in enumerate(records(jpeg_pack)):
        assert (tmp_path / f"{record:09d}.jpg").read_bytes() == payload
        assert (tmp_path / f"{record:09d}.cls").read_text() == str(label)
