"""Packs that exports have their trouble with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastload
from fastload.store import open_pack
from tests.cli.conftest import run
from tests.conftest import picture, write_label_folder
from tests.pack.image_files import all_kinds

# Two of them are not UTF-8, and one is spelled as one of those is shown.
CLASSES = ("고양이", "caf\udce9", "caf\udce8", "with, comma", "empty")


@pytest.fixture(scope="session")
def odd_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JPEG, PNG and BMP under names of all sorts, in folders below those of the classes."""
    root = tmp_path_factory.mktemp("odd") / "data"
    rng = np.random.default_rng(7)
    for name in CLASSES:
        (root / name / "below \udcff").mkdir(parents=True)
        for number, extension in enumerate(("jpg", "JPEG", "png", "bmp") * (name != "empty")):
            image = Image.fromarray(picture(rng, 40 + number, 50))
            image.save(root / name / f"{number}.{extension}")
            image.save(root / name / "below \udcff" / f"{number}.{extension}")
    return root


@pytest.fixture(scope="session")
def odd_pack(odd_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of ``odd_folder`` as coefficients and QOI, appended to, in several shards."""
    pack = tmp_path_factory.mktemp("packs") / "odd.pack"
    fastload.pack(odd_folder, pack, codec="dct", shard_size="40kB", allow_empty=True)
    more = tmp_path_factory.mktemp("more") / "data"
    for name in CLASSES[:2]:
        (more / name).mkdir(parents=True)
        for number in range(3):
            image = Image.fromarray(picture(np.random.default_rng(number + 90), 44, 55))
            image.save(more / name / f"{number}.jpg")
    fastload.append(pack, more, keep_duplicates=True)
    assert len(open_pack(pack).manifest.shards) > 2
    return pack


@pytest.fixture(scope="session")
def verbatim_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The very bytes of files of every kind, in one class."""
    folder = tmp_path_factory.mktemp("verbatim") / "data"
    (folder / "a").mkdir(parents=True)
    for name, data in all_kinds().items():
        (folder / "a" / name).write_bytes(data)
    return fastload.pack(folder, verbatim=True).path


@pytest.fixture(scope="session")
def unlabelled_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """22 images without classes."""
    folder = tmp_path_factory.mktemp("unlabelled")
    return fastload.pack(write_label_folder(folder / "photos"), unlabelled=True).path


def export(pack: Path, target: str, output: Path, *options: object) -> str:
    """What the command prints."""
    result = run("export", pack, "--to", target, output, *options)
    assert result.exit_code == 0, result.output
    assert not list(output.parent.glob("*.tmp"))
    return result.stdout


def samples_by_record(pack: Path) -> list[tuple[str, np.ndarray, int]]:
    """Path, pixels and label of each record, in the order of the records."""
    opened, dataset = open_pack(pack), fastload.ImageFolder(pack)
    found: dict[int, tuple[str, np.ndarray, int]] = {}
    for record, (image, label) in zip(opened.index.listing.tolist(), dataset, strict=True):
        found[record] = (opened.index.path(record), np.asarray(image), label)
    return [found[record] for record in range(len(opened))]
