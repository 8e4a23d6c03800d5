"""Label folders as they are exported: torchvision's ImageFolder shows the pack's images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

import fastload
from tests.cli.conftest import run
from tests.export.conftest import export
from tests.pack.image_files import all_kinds, photo, saved
from tests.pack.test_pack import tree


def same_samples(folder: Path, pack: Path) -> ImageFolder:
    theirs, ours = ImageFolder(folder, allow_empty=True), fastload.ImageFolder(pack)
    assert theirs.classes == ours.classes
    assert theirs.targets == ours.targets
    for (image, _), (wanted, _) in zip(theirs, ours, strict=True):
        np.testing.assert_array_equal(np.asarray(image), np.asarray(wanted))
    return theirs


def test_same_samples(odd_pack: Path, tmp_path: Path) -> None:
    words = export(odd_pack, "imagefolder", tmp_path / "out")
    assert "Classes without images: 1." in words
    theirs = same_samples(tmp_path / "out", odd_pack)
    for (path, _), (source, _) in zip(
        theirs.samples, fastload.ImageFolder(odd_pack).samples, strict=True
    ):
        with Image.open(path) as image:
            extension = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",)}[image.format or ""]
        assert path.lower().endswith(extension), "the name says what the bytes are"
        assert Path(path).name.removesuffix(".png") == Path(source).name.removesuffix(".png")


def test_verbatim_files_are_given_back_as_they_were(verbatim_pack: Path, tmp_path: Path) -> None:
    export(verbatim_pack, "imagefolder", tmp_path / "out")
    same_samples(tmp_path / "out", verbatim_pack)
    assert set(tree(tmp_path / "out").values()) <= set(all_kinds().values())


def test_quality_makes_jpeg_of_the_others(odd_pack: Path, tmp_path: Path) -> None:
    export(odd_pack, "imagefolder", tmp_path / "out", "--quality", 90)
    files = tree(tmp_path / "out")
    assert {data[:2] for data in files.values()} == {b"\xff\xd8"}
    assert all(name.lower().endswith((".jpg", ".jpeg")) for name in files)
    assert "고양이/3.bmp.jpg" in files


def test_without_classes(unlabelled_pack: Path, tmp_path: Path) -> None:
    assert "no labels" in export(unlabelled_pack, "imagefolder", tmp_path / "out")
    assert len(tree(tmp_path / "out")) == 22


def test_two_images_of_one_name_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "1.bmp").write_bytes(saved(photo(), "BMP"))
    (tmp_path / "data" / "a" / "1.bmp.png").write_bytes(saved(photo(seed=2), "PNG"))
    pack = fastload.pack(tmp_path / "data").path
    before = tree(tmp_path)
    result = run("export", pack, "--to", "imagefolder", tmp_path / "out")
    assert result.exit_code == 1
    assert "cannot be written as a/1.bmp.png (File exists)" in result.stderr
    assert tree(tmp_path) == before
    # Under its own name each has its place.
    assert run("unpack", pack).exit_code == 0


@pytest.mark.parametrize("path", ["ant/../../x.jpg", "bee/x.jpg", "/x.jpg", "ant/x\0.jpg"])
def test_paths_that_leave_the_folder_are_refused(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("fastload.store.index.Index.path", lambda _index, _record: path)
    before = tree(tmp_path)
    result = run("export", copy, "--to", "imagefolder", tmp_path / "out")
    assert result.exit_code == 1
    assert "its path" in result.stderr
    assert tree(tmp_path) == before
