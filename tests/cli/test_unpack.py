"""``fastload unpack`` as a user types it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import ImageFolder

import fastload
from fastload.store import open_pack
from tests.cli.conftest import run
from tests.pack.image_files import all_kinds
from tests.pack.test_pack import tree
from tests.store.damage import flip


def test_unpack_gives_the_same_samples(
    label_folder: Path, small_pack: Path, tmp_path: Path
) -> None:
    result = run("unpack", small_pack, "-o", tmp_path / "again")
    assert result.exit_code == 0, result.output
    before, after = ImageFolder(label_folder), ImageFolder(tmp_path / "again")
    assert before.classes == after.classes
    for (path, label), (image, _), (other, other_label), (shown, _) in zip(
        before.samples, before, after.samples, after, strict=True
    ):
        assert Path(path).relative_to(label_folder) == Path(other).relative_to(tmp_path / "again")
        assert label == other_label
        np.testing.assert_array_equal(np.asarray(image), np.asarray(shown))
    assert not list(tmp_path.glob("*.tmp"))
    # Packed once more, nothing changes any more.
    fastload.pack(tmp_path / "again")
    run("unpack", tmp_path / "again.pack")
    assert tree(tmp_path / "again.pack.unpacked") == tree(tmp_path / "again")


def test_unpack_gives_every_kind_back_verbatim(tmp_path: Path) -> None:
    for name, data in all_kinds().items():
        path = tmp_path / "data" / "가 클래스" / "below" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "data" / "empty").mkdir()
    report = fastload.pack(tmp_path / "data", verbatim=True, allow_empty=True)
    result = run("unpack", report.path, "--output", tmp_path / "again")
    assert result.exit_code == 0, result.output
    wanted = tree(tmp_path / "data")
    with (report.path / "rejected.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            del wanted[row["path"]]
    assert tree(tmp_path / "again") == wanted
    assert (tmp_path / "again" / "empty").is_dir()
    assert f"{len(report.rejected)} files of the source were never packed" in result.stdout


def test_unpack_leaves_a_folder_with_something_alone(small_pack: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    result = run("unpack", small_pack, "-o", tmp_path / "full")
    assert result.exit_code == 1
    assert "is not empty" in result.stderr
    assert tree(tmp_path / "full") == {"x": b"mine"}


def test_unpack_stops_at_a_damaged_record(copy: Path, tmp_path: Path) -> None:
    flip(copy, int(open_pack(copy).index.offset[6]) + 9)
    result = run("unpack", copy, "-o", tmp_path / "again")
    assert result.exit_code == 1
    assert "record 6" in result.stderr
    assert list(tmp_path.iterdir()) == [copy]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("file", "file is a file"),
        ("file/below", "cannot be written (Not a directory)"),
        ("here", "here.tmp is in the way"),
    ],
)
def test_unpack_overwrites_nothing(
    small_pack: Path, tmp_path: Path, output: str, words: str
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "here.tmp").mkdir()
    (tmp_path / "here.tmp" / "x").write_text("mine")
    before = tree(tmp_path)
    result = run("unpack", small_pack, "-o", tmp_path / output)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert tree(tmp_path) == before
