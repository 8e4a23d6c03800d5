"""Parquet files as they are exported: Hugging Face's datasets shows images and class names."""

from __future__ import annotations

import gc
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import fastload
from fastload.export import parquet
from tests.cli.conftest import run
from tests.export.conftest import export, samples_by_record

NAMES = ["caf\\xe8", "caf\\xe9", "empty", "with, comma", "고양이"]


def test_rows_are_the_records(odd_pack: Path, tmp_path: Path) -> None:
    export(odd_pack, "parquet", tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    assert [(field.name, field.type) for field in table.schema] == [
        ("image", image),
        ("label", pa.int64()),
    ]
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["label"]["names"] == NAMES
    for row, (path, pixels, label) in zip(
        table.to_pylist(), samples_by_record(odd_pack), strict=True
    ):
        assert row["label"] == label
        opened = Image.open(io.BytesIO(row["image"]["bytes"]))
        np.testing.assert_array_equal(opened.convert("RGB"), pixels)
        shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        jpeg = opened.format == "JPEG"
        assert row["image"]["path"] == shown + ".png" * (not jpeg and not path.endswith(".png"))


def test_files_and_row_groups_are_bounded(
    odd_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 15_000)
    words = export(odd_pack, "parquet", tmp_path / "out", "--shard-size", "40kB")
    files = sorted((tmp_path / "out").iterdir())
    assert f"{len(files)} files" in words
    assert len(files) > 2
    count = f"{len(files):05d}"
    assert [file.name for file in files] == [
        f"data-{number:05d}-of-{count}.parquet" for number in range(len(files))
    ]
    labels = []
    for file in files:
        opened = pq.ParquetFile(file)
        sizes = []
        for number in range(opened.num_row_groups):
            group = opened.read_row_group(number)
            sizes.append(sum(len(row["bytes"]) for row in group["image"].to_pylist()))
            labels += group["label"].to_pylist()
            assert sizes[-1] <= 15_000 or group.num_rows == 1
        assert sum(sizes) <= 40_000
    assert labels == [label for _, _, label in samples_by_record(odd_pack)]


def test_shards_do_not_stay_mapped(copy: Path, tmp_path: Path) -> None:
    export(copy, "parquet", tmp_path / "a.parquet")
    gc.collect()
    assert bytes(copy / "shards") not in Path("/proc/self/maps").read_bytes()


def test_images_too_large_for_the_type_are_refused_by_name(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_MOST_BYTES", 10_000)
    result = run("export", copy, "--to", "parquet", tmp_path / "out")
    assert result.exit_code == 1
    assert "a Parquet file has 10,000 an image at most" in result.stderr
    assert "record " in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found = pytest.importorskip("datasets")
    monkeypatch.setattr(found.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return found


def test_datasets_shows_images_and_names(odd_pack: Path, tmp_path: Path, datasets) -> None:
    export(odd_pack, "parquet", tmp_path / "out", "--shard-size", "40kB")
    shown = datasets.load_dataset(
        "parquet", data_files=f"{tmp_path}/out/*.parquet", cache_dir=str(tmp_path / "cache")
    )["train"]
    assert shown.features["image"] == datasets.Image()
    assert shown.features["label"] == datasets.ClassLabel(names=NAMES)
    for row, (_, pixels, label) in zip(shown, samples_by_record(odd_pack), strict=True):
        assert row["label"] == label
        np.testing.assert_array_equal(row["image"].convert("RGB"), pixels)


def test_datasets_finds_the_parts_of_a_split(copy: Path, tmp_path: Path, datasets) -> None:
    assert run("split", copy, "--val", 0.25, "--group", "none").exit_code == 0
    for part in ("train", "val"):
        export(copy, "parquet", tmp_path / part, "--split", "holdout25", "--part", part)
    (tmp_path / "both").mkdir()
    for part in ("train", "val"):
        for file in (tmp_path / part).iterdir():
            file.replace(tmp_path / "both" / file.name)
    shown = datasets.load_dataset(str(tmp_path / "both"), cache_dir=str(tmp_path / "cache"))
    for name, part in (("train", "train"), ("validation", "val")):
        wanted = fastload.ImageFolder(copy, split="holdout25", part=part)
        assert sorted(shown[name]["label"]) == wanted.targets
    assert shown["train"].features["label"].names == fastload.ImageFolder(copy).classes


def test_without_classes_there_is_no_label(unlabelled_pack: Path, tmp_path: Path, datasets) -> None:
    assert "no labels" in export(unlabelled_pack, "parquet", tmp_path / "a.parquet")
    shown = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "a.parquet"), cache_dir=str(tmp_path / "cache")
    )["train"]
    assert shown.column_names == ["image"]
    for row, (_, pixels, _) in zip(shown, samples_by_record(unlabelled_pack), strict=True):
        np.testing.assert_array_equal(row["image"].convert("RGB"), pixels)


def test_classes_that_would_have_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("caf\udce9", "caf\\xe9"):
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(tmp_path / "data" / name / "1.png")
    pack = fastload.pack(tmp_path / "data").path
    result = run("export", pack, "--to", "parquet", tmp_path / "out")
    assert result.exit_code == 1
    assert "two classes would be named" in result.stderr
    assert not (tmp_path / "out").exists()
