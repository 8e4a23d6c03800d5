"""One record at a time: ImageFolder's pixels without Pillow, and errors that say what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets.folder import pil_loader

import fastload
from fastload.errors import RecordError
from fastload.store import Codec, Pack, open_pack
from fastload.store.decoding import decode_record, decode_with_pillow
from tests.cli.conftest import run
from tests.pack.image_files import all_kinds
from tests.store.damage import rewrite_payload


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of every kind, in one class."""
    root = tmp_path_factory.mktemp("decoding") / "kinds"
    (root / "all").mkdir(parents=True)
    for name, data in all_kinds().items():
        (root / "all" / name).write_bytes(data)
    return root


STORED = {"jpeg": {}, "dct": {"codec": "dct"}, "verbatim": {"verbatim": True}}


@pytest.fixture(scope="module", params=STORED)
def packed(folder: Path, request: pytest.FixtureRequest) -> Pack:
    """The pack of all kinds."""
    output = folder.with_suffix(f".{request.param}.pack")
    return open_pack(fastload.pack(folder, output, **STORED[request.param]).path)


def test_both_ways_give_the_pixels_of_image_folder(folder: Path, packed: Pack) -> None:
    for record, path in enumerate(packed.index.paths(range(len(packed)))):
        wanted = np.asarray(pil_loader(folder / path))
        for way in (decode_record, decode_with_pillow):
            image = way(packed, record)
            assert image.mode == "RGB"
            np.testing.assert_array_equal(np.asarray(image), wanted, err_msg=path)


def test_pillow_opens_nothing_but_files_that_only_it_reads(
    packed: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    open_image = Image.open

    def counted(file: Any) -> Image.Image:
        opened.append(record)
        return open_image(file)

    monkeypatch.setattr(Image, "open", counted)
    for record in range(len(packed)):
        decode_record(packed, record)
    assert opened == np.flatnonzero(packed.index.codec == Codec.FILE).tolist()


@pytest.mark.parametrize(
    ("codec", "words"),
    [(Codec.JPEG, "JPEG"), (Codec.DCT, "DCT record"), (Codec.QOI, "QOI")],
)
def test_bytes_that_are_no_image_are_named(
    label_folder: Path, tmp_path: Path, codec: Codec, words: str
) -> None:
    """Their checksum holds, as where a pack was written from damaged memory."""
    stored = "dct" if codec == Codec.DCT else "jpeg"
    root = fastload.pack(label_folder, tmp_path / "damaged.pack", codec=stored).path
    pack = open_pack(root)
    record = int(np.flatnonzero(pack.index.codec == codec)[0])
    rewrite_payload(root, record, bytes(pack.payload(record))[::-1])
    dataset = fastload.ImageFolder(root)
    path = dataset.pack.index.path(record)
    with pytest.raises(RecordError, match=words) as caught:
        dataset.loader(str(root / path))
    assert (caught.value.record, caught.value.path) == (record, path)
    found = run("verify", "--decode", root).stdout
    assert f"record {record} ({path}): cannot be decoded (" in found
    assert words in found.split("cannot be decoded")[1]
