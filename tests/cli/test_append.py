"""``fastload append`` and ``pack --unlabelled`` as a user types them."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import ImageFolder

import fastload
from fastload.errors import PackError
from fastload.store import open_pack
from tests.cli.conftest import run
from tests.conftest import write_label_folder
from tests.pack.image_files import photo, saved
from tests.pack.test_pack import tree


@pytest.fixture
def more(label_folder: Path, tmp_path: Path) -> Path:
    """Images of three classes: new ones, one that is there, one of another class, a bad one."""
    root = write_label_folder(tmp_path / "more", {"ant": 4, "dog": 13}, seed=7)
    for path in root.rglob("*.*"):
        path.rename(path.with_stem(f"new{path.stem}"))
    shutil.copy(label_folder / "ant" / "000.jpg", root / "ant" / "same.jpg")
    shutil.copy(label_folder / "cat" / "001.jpg", root / "ant" / "wrong.jpg")
    again = saved(photo(24, 30, 3), "JPEG")
    (root / "ant" / "000.jpg").write_bytes(again)
    (root / "dog" / "bad.jpg").write_bytes(b"")
    return root


def rows_of(output: str) -> dict[str, str]:
    lines = [line for line in output.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    return {row[0]: row[1] for row in cells}


def test_append_tells_what_became_of_each_file(copy: Path, more: Path, tmp_path: Path) -> None:
    result = run("append", copy, more, "--list", tmp_path / "list.csv")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{copy}\n")
    rows = rows_of(result.stdout)
    assert (rows["images added"], rows["images now"]) == ("18", "40")
    assert (rows["left out, there already"], rows["same image, other class"]) == ("2", "1")
    assert (rows["renamed"], rows["rejected"]) == ("1", "1")
    assert set(result.stdout.splitlines()) >= {
        "contradiction: ant/wrong.jpg is the same image as cat/001.jpg, of another class",
        "there already: ant/same.jpg is the same image as ant/000.jpg",
        "renamed: ant/000.jpg is ant/000~2.jpg in the pack, where another image has its path",
        "rejected dog/bad.jpg: the file is empty",
    }
    assert "appending: 21 of 21 images" in result.stderr
    with (tmp_path / "list.csv").open(newline="") as file:
        listed = list(csv.reader(file))
    assert listed[:3] == [
        ["kind", "path", "other"],
        ["other-class", "ant/wrong.jpg", "cat/001.jpg"],
        ["duplicate", "ant/same.jpg", "ant/000.jpg"],
    ]
    assert listed[-2:] == [
        ["renamed", "ant/000.jpg", "ant/000~2.jpg"],
        ["rejected", "dog/bad.jpg", "the file is empty"],
    ]


def test_append_twice_says_that_there_is_nothing_to_add(copy: Path, more: Path) -> None:
    run("append", copy, more)
    before = tree(copy)
    result = run("append", copy, more)
    assert result.exit_code == 0, result.output
    assert "Nothing to add: the pack is as it was." in result.stdout
    assert "and 9 more (duplicate); --list FILE.csv names all" in result.stdout
    assert tree(copy) == before


def test_keep_duplicates(copy: Path, more: Path) -> None:
    result = run("append", copy, more, "--keep-duplicates")
    rows = rows_of(result.stdout)
    assert (rows["images added"], rows["left out, there already"]) == ("20", "0")
    assert rows["same image, other class"] == "1"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--strict"], 1, "bad.jpg: the file is empty"),
        (["--workers", "0"], 2, "--workers is 0"),
    ],
)
def test_append_refuses(copy: Path, more: Path, options: list[str], code: int, words: str) -> None:
    (more / "ant" / "folder").mkdir()
    result = run("append", copy, more, *options)
    assert (result.exit_code, words in result.stderr) == (code, True), result.output
    assert "Traceback" not in result.output
    assert len(open_pack(copy)) == 22


def test_a_mistyped_class_is_named(copy: Path, more: Path) -> None:
    (more / "dog").rename(more / "dgo")
    result = run("append", copy, more)
    assert result.exit_code == 1
    assert "'dgo' (is it 'dog'?)" in result.stderr


def test_a_list_that_cannot_be_written(copy: Path, more: Path, tmp_path: Path) -> None:
    result = run("append", copy, more, "--list", tmp_path / "nowhere" / "list.csv")
    assert result.exit_code == 2 and "there is no folder" in result.stderr
    assert len(open_pack(copy)) == 22
    result = run("append", copy, more, "--list", "/dev/full")
    assert result.exit_code == 1 and "/dev/full cannot be written (No space" in result.stderr
    assert rows_of(result.stdout)["images added"] == "18" and len(open_pack(copy)) == 40


def test_other_commands_know_appended_packs(
    label_folder: Path, copy: Path, more: Path, tmp_path: Path
) -> None:
    run("append", copy, more)
    facts = json.loads(run("info", copy, "--json").stdout)
    assert (facts["version"], facts["images"], facts["rejected"]) == ("1.2", 40, 1)
    assert [part["records"] for part in facts["appended"]] == [18]
    sources = [path for root in (label_folder, more) for path in root.rglob("*.*g")]
    assert facts["bytes"]["source"] == sum(path.stat().st_size for path in sources)
    assert rows_of(run("info", copy).stdout)["appended of them"] == "18"
    assert run("verify", copy, "--decode").exit_code == 0
    result = run("unpack", copy, "-o", tmp_path / "again")
    assert "1 files of the source were never packed" in result.stdout
    unpacked, ours = ImageFolder(tmp_path / "again"), fastload.ImageFolder(copy)
    assert unpacked.targets == ours.targets
    for (image, _), (wanted, _) in zip(unpacked, ours, strict=True):
        np.testing.assert_array_equal(np.asarray(image), np.asarray(wanted))


def test_verify_tells_of_an_append_that_was_stopped(
    copy: Path, more: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("fastload.pack.added.commit", stop)
        assert "out of ideas" in run("append", copy, more).stderr
    result = run("verify", copy)
    assert result.exit_code == 0
    assert "an append did not come to its end, which changes nothing" in result.stdout
    run("append", copy, more)
    assert "did not come to its end" not in run("verify", copy).stdout


def stop(*arguments: object, **options: object) -> None:
    raise PackError("out of ideas")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of images without classes."""
    for number, path in enumerate(("2.jpg", "1.jpg", "below/1.jpg")):
        (tmp_path / "test" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "test" / path).write_bytes(saved(photo(24, 30 + number, number), "JPEG"))
    return tmp_path / "test"


def test_unlabelled_from_end_to_end(folder: Path, tmp_path: Path) -> None:
    pack = tmp_path / "test.pack"
    result = run("pack", folder, "--unlabelled")
    assert result.exit_code == 0, result.output
    assert "looks like a label folder" not in result.stderr
    assert "classes" not in rows_of(result.stdout)
    assert rows_of(run("info", pack).stdout)["images"] == "3 in no classes (unlabelled)"
    assert json.loads(run("info", pack, "--json").stdout)["classes"] == []
    assert run("verify", pack, "--decode").exit_code == 0
    assert run("recode", pack, "--codec", "dct").exit_code == 0
    assert run("unpack", tmp_path / "test.dct.pack", "-o", tmp_path / "again").exit_code == 0
    assert sorted(tree(tmp_path / "again")) == sorted(tree(folder))


def test_unlabelled_on_a_label_folder_says_what_becomes_of_the_classes(
    label_folder: Path, tmp_path: Path
) -> None:
    result = run("pack", label_folder, "--unlabelled", "-o", tmp_path / "x.pack")
    assert result.exit_code == 0
    assert "looks like a label folder: with --unlabelled there are no classes" in result.stderr
    assert open_pack(tmp_path / "x.pack").index.path(0).count("/") == 1


def test_images_without_classes_need_unlabelled(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "1.jpg").write_bytes(saved(photo(), "JPEG"))
    result = run("pack", tmp_path / "test")
    assert result.exit_code == 1
    assert "`fastload pack --unlabelled` packs them" in result.stderr
