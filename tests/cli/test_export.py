"""``fastload export``: what it takes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

import fastload
from tests.cli.conftest import run


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "ffcv"], "--to ffcv needs a place to write to"),
        (["--to", "parquet"], "--to parquet needs a place to write to"),
        (["--to", "webdataset", "--quality", 90], "--to webdataset needs a place"),
        (["{out}"], "Missing option '--to'"),
        (["{out}", "--to", "zip"], "'zip' is not one of"),
        (["{out}", "--to", "ffcv", "--shard-size", "1MB"], "--to ffcv writes no shards"),
        (["{out}", "--to", "parquet", "--shard-size", "few"], "--shard-size"),
        (["{out}", "--to", "parquet", "--shard-size", "1"], "the least is 2048"),
        (["{out}", "--to", "ffcv", "--quality", 0], "is not in the range"),
        (["{out}", "--to", "ffcv", "--fold", 1], "name it, as --split folds5"),
        (["{out}", "--to", "ffcv", "--split", "a"], "needs --part"),
    ],
)
def test_misuse(small_pack: Path, tmp_path: Path, options: list[object], words: str) -> None:
    given = [str(option).format(out=tmp_path / "out") for option in options]
    result = run("export", small_pack, *given)
    assert result.exit_code == 2
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_splits_that_are_not_there(small_pack: Path, tmp_path: Path) -> None:
    options = ["--to", "imagefolder", tmp_path / "out", "--split", "folds9", "--part", "val"]
    result = run("export", small_pack, *options)
    assert result.exit_code == 1
    assert "has no split 'folds9'" in result.stderr


def test_folds_that_are_not_there(copy: Path, tmp_path: Path) -> None:
    assert run("split", copy, "--folds", 2, "--group", "none").exit_code == 0
    options = ["--to", "imagefolder", tmp_path / "out", "--split", "folds2", "--part", "val"]
    for fold in ([], ["--fold", 2]):
        result = run("export", copy, *options, *fold)
        assert result.exit_code == 2
        assert "has 0 to 1" in result.stderr


@pytest.mark.parametrize("target", ["ffcv", "imagefolder", "webdataset", "parquet"])
def test_a_pack_without_images(tmp_path: Path, target: str) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    pack = fastload.pack(tmp_path / "data", allow_empty=True).path
    result = run("export", pack, "--to", target, tmp_path / "out")
    assert result.exit_code == 1
    assert "there is nothing to export" in result.stderr
    assert not (tmp_path / "out").exists()
