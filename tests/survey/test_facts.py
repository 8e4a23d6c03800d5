"""Counts, sizes, draws and copies against what is known of the files."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastload
from fastload.notebook import summary_html
from fastload.summary import summary_of
from fastload.survey.copies import copies_of
from fastload.survey.draws import MODES, draws_of_modes
from fastload.survey.sizes import resolutions_of
from tests.conftest import COUNTS
from tests.duplicates.copies import write_photos


def sizes_of(folder: Path) -> list[tuple[int, int]]:
    return [Image.open(file).size for file in sorted(folder.glob("*/*"))]


def test_the_summary_tells_what_the_files_say(label_folder: Path, small_pack: Path) -> None:
    summary = summary_of(fastload.ImageFolder(small_pack))
    widths, heights = np.array(sizes_of(label_folder)).T
    assert dict(zip(summary.classes, summary.counts.tolist(), strict=True)) == COUNTS
    assert summary.largest == ("ant", 9) and summary.smallest == ("cat", 2)
    assert summary.imbalance == 4.5 and summary.empty == 0
    assert summary.images == 22
    for name, sides in (
        ("width", widths),
        ("height", heights),
        ("shorter side", np.minimum(widths, heights)),
    ):
        smallest, *_, largest = summary.pixels[name]
        assert (smallest, largest) == (sides.min(), sides.max())
        assert (sides <= summary.pixels[name][2]).mean() >= 0.5
    assert summary.head() == ["22 images", "4 classes", summary.head()[2]]


def test_the_summary_of_a_part_is_of_that_part(copy: Path) -> None:
    fastload.holdout(fastload.ImageFolder(copy).pack, 0.3, seed=1).save("part")
    part = fastload.ImageFolder(copy, split="part", part="val")
    summary = summary_of(part)
    assert summary.images == len(part) == summary.counts.sum() < 22
    assert summary.part == "val of part"
    records = part.records(np.arange(len(part)))
    assert summary.pixels["width"][-1] == part.pack.index.width[records].max()
    assert summary.size == part.pack.index.length[records].sum()


def test_notebooks_show_names_as_text_and_run_nothing(tmp_path: Path) -> None:
    name = "<script>alert(1)<!--"
    root = write_photos(tmp_path / "photos", {name: 3, "b": 1})
    dataset = fastload.ImageFolder(fastload.pack(root, workers=1).path)
    shown = dataset._repr_html_()
    assert "<script" not in shown and "&lt;script&gt;alert(1)&lt;!-- (3)" in shown
    assert "imbalance ratio" in shown and ">3.0<" in shown
    assert shown.count("<rect") == 2
    assert repr(dataset).startswith("Dataset ImageFolder\n    Number of datapoints: 4")


def test_notebooks_show_many_classes_and_none(tmp_path: Path) -> None:
    names = {f"class {number:04}": 1 for number in range(400)}
    root = tmp_path / "many"
    for name in names:
        (root / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(root / name / "0.png")
    many = fastload.ImageFolder(fastload.pack(root, workers=1).path)
    assert many._repr_html_().count("<rect") <= 160
    shutil.rmtree(root / "class 0000")
    bare = fastload.ImageFolder(fastload.pack(root / "class 0001", unlabelled=True).path)
    shown = bare._repr_html_()
    assert "1 image · no classes" in shown and "<svg" not in shown


def test_a_summary_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "photos" / "a").mkdir(parents=True)
    pack = fastload.pack(tmp_path / "photos", allow_empty=True, workers=1).path
    summary = summary_of(fastload.ImageFolder(pack))
    assert summary.largest is None and summary.imbalance is None and summary.pixels == {}
    assert summary.empty == 1
    assert "0 images · 1 class" in summary_html(summary)


def test_sizes_are_those_of_the_files(label_folder: Path, small_pack: Path) -> None:
    found = resolutions_of(fastload.ImageFolder(small_pack))
    sizes = sizes_of(label_folder)
    assert sorted(found.points) == sorted(sizes)
    assert found.different == len(set(sizes))
    assert all(sizes.count((width, height)) == images for width, height, images in found.common)
    assert [images for *_, images in found.common] == sorted(
        (images for *_, images in found.common), reverse=True
    )


@pytest.mark.parametrize("mode", MODES)
def test_draws_are_what_a_loader_expects(small_pack: Path, mode: str) -> None:
    dataset = fastload.ImageFolder(small_pack)
    (found,) = draws_of_modes(dataset.class_counts, dataset.classes, [mode])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A loader that balances nothing is told of by trying it.
        balance = (lambda counts, epoch: counts) if mode == "none" else mode
        loader = fastload.DataLoader(dataset, balance=balance, seed=1)
        expected = fastload.describe_epoch(loader, found.epoch).expected
    assert np.allclose(found.repeats, expected.repeats)
    assert np.allclose(found.draws, expected.repeats * dataset.class_counts)
    assert found.epoch == (45 if mode.startswith("progressive") else 0)


@pytest.fixture
def doubled(tmp_path: Path) -> Path:
    """Two classes; an image of the one is in the other too, another one is there mirrored."""
    root = write_photos(tmp_path / "photos", {"a": 5, "b": 4}, seed=3)
    shutil.copy(root / "a" / "0.png", root / "b" / "again.png")
    with Image.open(root / "a" / "1.png") as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(root / "a" / "mirrored.png")
    return fastload.pack(root, workers=2).path


def test_copies_are_found_by_sample(doubled: Path) -> None:
    dataset = fastload.ImageFolder(doubled)
    copies = copies_of(dataset, most_groups=9, most_of_group=9, workers=2)
    assert (copies.groups, copies.images, copies.spanning, copies.fault) == (2, 4, 1, "")
    names = [
        {Path(dataset.samples[sample][0]).name for sample in group.samples}
        for group in copies.shown
    ]
    assert names == [{"0.png", "again.png"}, {"1.png", "mirrored.png"}]
    assert [group.classes for group in copies.shown] == [2, 1]
    assert copies.shown[1].relations == ("first", "mirrored")


def test_copies_outside_a_part_do_not_count(doubled: Path) -> None:
    pack = fastload.ImageFolder(doubled).pack
    fastload.folds(pack, 2, seed=0, group="none").save("halves")
    for fold in range(2):
        part = fastload.ImageFolder(doubled, split="halves", fold=fold, part="val")
        inside = {Path(path).name for path, _ in part.samples}
        pairs = [{"0.png", "again.png"}, {"1.png", "mirrored.png"}]
        copies = copies_of(part, most_groups=9, most_of_group=9, workers=1)
        assert copies.groups == sum(pair <= inside for pair in pairs)


def test_a_damaged_image_leaves_the_equal_bytes(doubled: Path) -> None:
    pack = fastload.ImageFolder(doubled).pack
    paths = pack.index.paths(range(len(pack)))
    broken = next(record for record, path in enumerate(paths) if path.endswith("mirrored.png"))
    with pack.shard_file(0).open("r+b") as file:
        file.seek(int(pack.index.offset[broken]) + 30)
        file.write(b"damage!!")
    copies = copies_of(fastload.ImageFolder(doubled), most_groups=9, most_of_group=9, workers=1)
    assert copies.groups == 1 and copies.shown[0].classes == 2
    assert "mirrored.png" in copies.fault
