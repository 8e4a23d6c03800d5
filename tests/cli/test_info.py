"""``fastload info`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

from torchvision.datasets import ImageFolder

import fastload
from tests.cli.conftest import run
from tests.pack.image_files import photo, saved


def test_info_as_json(small_pack: Path, label_folder: Path) -> None:
    result = run("info", small_pack, "--json")
    facts = json.loads(result.stdout)
    assert facts["images"] == 22
    assert facts["classes"] == [
        {"name": name, "images": count}
        for name, count in (("ant", 9), ("bee", 6), ("cat", 2), ("dog", 5))
    ]
    assert facts["codecs"]["jpeg"]["images"] + facts["codecs"]["qoi"]["images"] == 22
    widths = sorted(image.size[0] for image, _ in ImageFolder(label_folder))
    quantiles = facts["resolution"]["width"]
    assert (quantiles["0%"], quantiles["100%"]) == (widths[0], widths[-1])
    assert quantiles["50%"] in widths[10:12]
    shards = sum(path.stat().st_size for path in (small_pack / "shards").iterdir())
    assert facts["bytes"]["shards"] == shards
    stored = sum(codec["bytes"] for codec in facts["codecs"].values())
    assert facts["bytes"]["images"] == stored < shards


def test_info_draws_a_bar_a_class(small_pack: Path) -> None:
    result = run("info", small_pack)
    bars = {line.split()[3]: line.count("█") for line in result.stdout.splitlines() if "█" in line}
    assert bars == {"ant": 30, "bee": 20, "cat": 7, "dog": 17}


def test_info_folds_many_classes(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / "data" / f"{number:02d}").mkdir(parents=True)
        (tmp_path / "data" / f"{number:02d}" / "x.png").write_bytes(saved(photo(3, 3), "PNG"))
    fastload.pack(tmp_path / "data")
    assert "10 more (--all-classes)" in run("info", tmp_path / "data.pack").stdout
    assert "more" not in run("info", tmp_path / "data.pack", "--all-classes").stdout


def test_info_of_an_empty_pack(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    fastload.pack(tmp_path / "data", allow_empty=True)
    assert "0 in 1 classes" in run("info", tmp_path / "data.pack").stdout
