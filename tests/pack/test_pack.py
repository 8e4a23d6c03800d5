"""What ``fastload.pack`` makes of a label folder, seen through the second reader."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torchvision.datasets import ImageFolder

import fastload
from fastload.errors import PackError
from fastload.pack.flow import Progress
from fastload.pack.recode import recode_pack
from fastload.store import open_pack
from tests.pack.image_files import photo, saved
from tests.plain_reader import read
from tests.store.damage import rewrite_manifest


def tree(root: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def small_folder(root: Path, bad: int = 0) -> Path:
    """Twelve images in two classes, and some files that are none."""
    for number in range(12):
        path = root / "ab"[number % 2] / f"{number:02d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(saved(photo(24, 30 + number, number), "JPEG"))
    for number in range(bad):
        (root / "b" / f"bad{number}.png").write_bytes(b"no image")
    return root


def test_same_samples_as_image_folder(label_folder: Path, small_pack: Path) -> None:
    theirs = ImageFolder(label_folder)
    names, samples = read(small_pack)
    assert names == theirs.classes
    assert [(f"{label_folder}/{path}", label) for path, label, _, _ in samples] == theirs.samples
    for (_, _, image, _), (wanted, _) in zip(samples, theirs, strict=True):
        np.testing.assert_array_equal(np.asarray(image), np.asarray(wanted))


def test_nothing_but_the_pack_is_left(small_pack: Path) -> None:
    assert set(tree(small_pack)) == {
        "index.arrow",
        "pack.json",
        "rejected.csv",
        "shards/00000.tar",
    }
    assert not (small_pack / ".progress").exists()


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_same_bytes_for_any_number_of_workers(
    label_folder: Path, tmp_path: Path, workers: int
) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(label_folder, copy)
    once = fastload.pack(label_folder, tmp_path / "once", shard_size=40_000, workers=3)
    again = fastload.pack(copy, tmp_path / "again", shard_size=40_000, workers=workers)
    assert len(once.manifest.shards) > 2
    assert tree(once.path) == tree(again.path)


def test_records_are_spread_over_the_shards(tmp_path: Path) -> None:
    data = saved(photo(8, 8), "JPEG")
    for name in "abcd":
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(64):
            (tmp_path / "data" / name / f"{number}.jpg").write_bytes(data)
    pack = open_pack(fastload.pack(tmp_path / "data", shard_size="64kB").path)
    assert len(pack.manifest.shards) >= 4
    for shard in range(len(pack.manifest.shards) - 1):
        assert len(set(pack.index.label[list(pack.shard_records(shard))].tolist())) == 4
    other = open_pack(fastload.pack(tmp_path / "data", tmp_path / "other", seed=1).path)
    assert pack.index.listing.tolist() != other.index.listing.tolist()


def test_shard_size_is_a_limit_except_for_a_larger_image(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data")
    (root / "a" / "large.png").write_bytes(saved(photo(200, 200), "PNG"))
    report = fastload.pack(root, shard_size=8_000)
    sizes = {shard.size: shard.records for shard in report.manifest.shards}
    (large,) = [size for size in sizes if size > 8_000]
    assert sizes[large] == 1
    assert len(sizes) > 2
    assert len(read(report.path)[1]) == 13


def test_no_cls(tmp_path: Path) -> None:
    report = fastload.pack(small_folder(tmp_path / "data"), cls=False)
    _, samples = read(report.path)
    assert [label for _, label, _, _ in samples] == [0] * 6 + [1] * 6
    assert b".cls" not in (report.path / "shards" / "00000.tar").read_bytes()


def test_rejected_files_are_named(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data", bad=2)
    (root / "a" / 'with, comma\nand "quotes".jpg').write_bytes(b"")
    os.mkfifo(root / "a" / "pipe.jpg")
    (root / "a" / "dangling.jpg").symlink_to("nowhere")
    report = fastload.pack(root)
    with (report.path / "rejected.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["path", "reason"], *(list(row) for row in report.rejected)]
    assert dict(report.rejected) == {
        "a/dangling.jpg": "cannot be read: No such file or directory",
        "a/pipe.jpg": "not a regular file",
        'a/with, comma\nand "quotes".jpg': "the file is empty",
        "b/bad0.png": "cannot identify image file",
        "b/bad1.png": "cannot identify image file",
    }
    assert report.manifest.source.rejected == 5
    assert report.manifest.source.files == 17
    assert report.manifest.records == len(read(report.path)[1]) == 12


def test_strict_names_the_first_bad_file(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data", bad=1)
    with pytest.raises(PackError, match=r"b/bad0\.png: cannot identify image file"):
        fastload.pack(root, strict=True)
    with pytest.raises(PackError, match="half-written"):
        open_pack(tmp_path / "data.pack")
    assert fastload.pack(root).manifest.records == 12


def test_nothing_but_bad_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "x.jpg").write_bytes(b"no image")
    with pytest.raises(PackError, match=r"None of the 1 files.*a/x\.jpg"):
        fastload.pack(tmp_path / "data")


def test_a_class_may_lose_all_its_files(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data")
    (root / "c").mkdir()
    (root / "c" / "x.jpg").write_bytes(b"no image")
    report = fastload.pack(root)
    assert [entry.count for entry in report.manifest.classes] == [6, 6, 0]
    assert open_pack(report.path).classes == ["a", "b", "c"]


def test_strict_does_not_call_a_pack_with_gaps_packed(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data", bad=2)
    fastload.pack(root)
    with pytest.raises(PackError, match=r"leaves out 2 files .named in rejected\.csv"):
        fastload.pack(root, strict=True)


@pytest.mark.parametrize("inside", ["", "data.pack", "a/data.pack"])
def test_a_pack_inside_its_label_folder_is_refused(tmp_path: Path, inside: str) -> None:
    root = small_folder(tmp_path / "data")
    before = tree(root)
    with pytest.raises(PackError, match="lies inside the label folder"):
        fastload.pack(root, root / inside)
    assert tree(root) == before


def test_packing_again_does_nothing(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data", bad=1)
    report = fastload.pack(root)
    before = {path: path.stat().st_mtime_ns for path in report.path.rglob("*")}
    again = fastload.pack(root)
    assert again.already_packed
    assert again.manifest == report.manifest
    assert {path: path.stat().st_mtime_ns for path in report.path.rglob("*")} == before


def test_a_pack_of_version_1_0_is_called_packed(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data")
    pack = fastload.pack(root).path

    def as_before(content: dict[str, Any]) -> None:
        content["version"] = [1, 0]
        del content["options"]["codec"]

    rewrite_manifest(pack, as_before)
    assert fastload.pack(root).already_packed
    with pytest.raises(PackError, match="codec 'jpeg', not 'dct'"):
        fastload.pack(root, codec="dct")
    assert recode_pack(open_pack(pack), tmp_path / "new", "dct", workers=1).manifest.records == 12


def test_a_pack_of_other_options_or_files_is_not_overwritten(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data")
    report = fastload.pack(root)
    before = tree(report.path)
    with pytest.raises(PackError, match="seed 0, not 7"):
        fastload.pack(root, seed=7)
    (root / "a" / "more.jpg").write_bytes(saved(photo(), "JPEG"))
    with pytest.raises(PackError, match="the label folder has changed"):
        fastload.pack(root)
    (root / "a" / "more.jpg").unlink()
    (root / "empty").mkdir()
    with pytest.raises(PackError, match="the label folder has changed"):
        fastload.pack(root, allow_empty=True)
    assert tree(report.path) == before


def test_a_pack_that_lost_a_shard_is_not_called_packed(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data")
    report = fastload.pack(root)
    (report.path / "shards" / "00000.tar").unlink()
    with pytest.raises(PackError, match=r"00000\.tar is missing or damaged"):
        fastload.pack(root)


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data")
    (tmp_path / "data.pack").mkdir()
    (tmp_path / "data.pack" / "thesis.tex").write_text("years of work")
    with pytest.raises(PackError, match="not empty and not a pack"):
        fastload.pack(root)
    assert tree(tmp_path / "data.pack") == {"thesis.tex": b"years of work"}


def test_a_file_is_no_place_for_a_pack(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(PackError, match="is a file: choose another name"):
        fastload.pack(small_folder(tmp_path / "data"), tmp_path / "thesis.tex")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_where_nothing_may_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """As next to a label folder that others share."""
    root = small_folder(tmp_path / "data")
    mkdir = Path.mkdir

    def refuse(path: Path, *arguments: Any, **options: Any) -> None:
        if path.is_relative_to(tmp_path / "data.pack"):
            raise OSError(code, os.strerror(code), str(path))
        mkdir(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PackError, match=r"data\.pack cannot be written .* with --output"):
        fastload.pack(root)


def test_a_file_that_changes_meanwhile_stops_the_packing(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data")

    def spoil(progress: Progress) -> None:
        for path in root.glob("*/*"):
            path.write_bytes(path.read_bytes() + b"!")

    # Chunks of 16 files: the rest is read after the first report.
    for number in range(200):
        (root / "a" / f"more{number}.jpg").write_bytes(saved(photo(8, 8), "JPEG"))
    with pytest.raises(PackError, match="changed while it was being packed"):
        fastload.pack(root, workers=1, progress=spoil)
    with pytest.raises(PackError, match="half-written"):
        open_pack(tmp_path / "data.pack")


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    seen: list[Progress] = []
    report = fastload.pack(small_folder(tmp_path / "data", bad=3), progress=seen.append)
    last = seen[-1]
    assert (last.files, last.files_in_all, last.rejected) == (15, 15, 3)
    assert last.bytes == last.bytes_in_all == report.manifest.source.bytes


def test_an_empty_folder_makes_an_empty_pack(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    report = fastload.pack(tmp_path / "data", allow_empty=True)
    assert read(report.path) == (["a"], [])
    assert len(open_pack(report.path)) == len(open_pack(report.path).index.label) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"quality": 0}, "--quality is 0"),
        ({"quality": 101}, "--quality is 101"),
        ({"max_side": 0}, "--max-side is 0"),
        ({"verbatim": True, "quality": 90}, "--verbatim keeps"),
        ({"verbatim": True, "codec": "dct"}, "--verbatim keeps the very bytes: leave out --codec"),
        ({"codec": "qoi"}, "--codec is 'qoi', it takes jpeg or dct"),
        ({"shard_size": "12 parsecs"}, "it takes bytes"),
        ({"shard_size": 100}, "--shard-size is 100"),
        ({"seed": -1}, "--seed is -1"),
        ({"workers": 0}, "workers is 0"),
    ],
)
def test_options_out_of_range(tmp_path: Path, options: dict, words: str) -> None:
    root = small_folder(tmp_path / "data")
    with pytest.raises(ValueError, match=words):
        fastload.pack(root, **options)
    assert not (tmp_path / "data.pack").exists()


def test_the_default_output_lies_beside_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = small_folder(tmp_path / "photos.v2")
    monkeypatch.chdir(root)
    assert fastload.pack(".").path == tmp_path / "photos.v2.pack"
    (tmp_path / "linked").symlink_to(root)
    assert fastload.pack(tmp_path / "linked").path == tmp_path / "linked.pack"


NAMES = [
    unicodedata.normalize("NFC", "고양이"),
    unicodedata.normalize("NFD", "고양이 둘"),
    "with space",
    "comma, \"quote\" and 'quote'",
    "new\nline",
    "tab\tand\rreturn",
    "-rf",
    "n" * 200,
    "latin1 \udce9",
    "emoji 🐜",
    "[bold red]markup",
    "trailing.",
]


def test_difficult_names_survive(tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        (tmp_path / "data" / name / name).mkdir(parents=True)
        data = saved(photo(8, 9 + number), "JPEG")
        (tmp_path / "data" / name / name / f"{name}.jpg").write_bytes(data)
    theirs = ImageFolder(tmp_path / "data")
    report = fastload.pack(tmp_path / "data")
    names, samples = read(report.path)
    assert names == theirs.classes == open_pack(report.path).classes
    paths = [(f"{tmp_path}/data/{path}", label) for path, label, _, _ in samples]
    assert paths == theirs.samples
    manifest = json.loads((report.path / "pack.json").read_text())
    shown = [entry["name"] for entry in manifest["classes"]]
    assert unicodedata.normalize("NFC", "고양이 둘") in shown
    assert manifest["required_features"] == ["binary-paths"]


letters = st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
some_names = st.text(letters | st.sampled_from("가ᄀ,\n \udcff"), min_size=1, max_size=60).filter(
    lambda name: name not in (".", "..") and len(name.encode("utf-8", "surrogateescape")) < 240
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(some_names, min_size=1, max_size=4, unique=True))
def test_any_names_survive(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    root = tmp_path_factory.mktemp("names") / "data"
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / f"{name}.png").write_bytes(saved(photo(3, 4), "PNG"))
    theirs = ImageFolder(root)
    report = fastload.pack(root, workers=1)
    classes, samples = read(report.path)
    assert classes == theirs.classes
    assert [f"{root}/{path}" for path, _, _, _ in samples] == [path for path, _ in theirs.samples]
    pack = open_pack(report.path)
    assert pack.index.paths(pack.index.listing) == [path for path, _, _, _ in samples]
