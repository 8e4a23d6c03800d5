"""Packs of folders without classes: for inference, each image known by its path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

import fastload
from fastload.errors import PackError
from fastload.pack.recode import recode_pack
from fastload.store import open_pack
from fastload.store.verify import faults
from tests.pack.image_files import photo, saved
from tests.pack.test_pack import small_folder, tree
from tests.plain_reader import read
from tests.store.damage import rewrite_column, rewrite_manifest, rewrite_paths

PATHS = ("b.jpg", "10.JPG", "9.png", "b/1.jpg", "b-c/2.jpg", "b/c/3.jpg", "가/latin \udce9.jpg")


def write_folder(root: Path, paths: tuple[str, ...] = PATHS) -> Path:
    for number, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        kind = "PNG" if path.endswith("png") else "JPEG"
        (root / path).write_bytes(saved(photo(24, 30 + number, number), kind))
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = write_folder(tmp_path / "test")
    (root / "notes.txt").write_text("no image")
    (root / "b" / "bad.jpg").write_bytes(b"")
    return root


@pytest.fixture
def pack(folder: Path) -> Path:
    return fastload.pack(folder, unlabelled=True).path


def test_images_in_the_order_of_one_class_of_image_folder(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "root" / "only")
    theirs = ImageFolder(tmp_path / "root")
    names, samples = read(fastload.pack(folder, tmp_path / "x.pack", unlabelled=True).path)
    assert names == []
    assert [path for path, _, _, _ in samples] == [
        str(Path(path).relative_to(folder)) for path, _ in theirs.samples
    ]
    assert [path for path, _, _, _ in samples][:3] == ["10.JPG", "9.png", "b.jpg"]
    for (_, label, image, _), (wanted, _) in zip(samples, theirs, strict=True):
        assert label == 0
        np.testing.assert_array_equal(np.asarray(image), np.asarray(wanted))


def test_image_folder_shows_paths_and_no_labels(folder: Path, pack: Path) -> None:
    dataset = fastload.ImageFolder(pack)
    assert (dataset.classes, dataset.class_to_idx) == ([], {})
    assert dataset.targets == [-1] * 7
    assert np.asarray(dataset.targets).tolist() == dataset.targets[:] == [-1] * 7
    assert repr(dataset.targets) == "<7 labels of 0 classes>"
    paths = [path for path, label in dataset.samples if label == -1]
    assert paths == [f"{pack}/{path}" for path, _, _, _ in read(pack)[1]]
    for (image, target), path in zip(dataset, paths, strict=True):
        assert target == -1
        source = folder / Path(path).relative_to(pack)
        np.testing.assert_array_equal(np.asarray(image), np.asarray(Image.open(source)))
    assert dataset.loader(paths[3]).size == Image.open(
        folder / Path(paths[3]).relative_to(pack)
    ).size  # fmt: skip


@pytest.mark.parametrize("engine", ["native", "torch"])
def test_a_loader_gives_a_label_that_a_loss_refuses(pack: Path, engine: str) -> None:
    transform = v2.Compose([v2.Resize((16, 16)), v2.PILToTensor()])
    dataset = fastload.ImageFolder(pack, transform)
    loader = fastload.DataLoader(dataset, batch_size=4, engine=engine)
    batches = list(loader)
    labels = torch.cat([labels for _, labels in batches])
    assert labels.tolist() == [-1] * 7
    assert labels.dtype == torch.int64
    images = torch.cat([images for images, _ in batches])
    assert bool((images == torch.stack([dataset[place][0] for place in range(7)])).all())
    with pytest.raises(IndexError, match="-1"):
        torch.nn.functional.cross_entropy(torch.zeros(4, 10), labels[:4])


def test_torchs_loader_takes_it_as_well(pack: Path) -> None:
    dataset = fastload.ImageFolder(pack, v2.Compose([v2.Resize((16, 16)), v2.PILToTensor()]))
    loader = torch.utils.data.DataLoader(torch.utils.data.Subset(dataset, [5, 2, 0]), batch_size=3)
    ((images, labels),) = loader
    assert images.shape == (3, 3, 16, 16)
    assert labels.tolist() == [-1] * 3


def test_what_the_manifest_says(pack: Path) -> None:
    content = json.loads((pack / "pack.json").read_text())
    assert content["version"] == [1, 2]
    assert content["required_features"] == ["binary-paths", "unlabelled"]
    assert content["classes"] == []
    assert content["options"]["cls"] is False
    assert content["source"]["rejected"] == 1
    assert list(faults(open_pack(pack))) == []
    assert b".cls" not in (pack / "shards" / "00000.tar").read_bytes()


def test_an_older_reader_refuses_by_name(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastload.store.manifest.KNOWN_FEATURES", frozenset({"binary-paths"}))
    with pytest.raises(PackError, match="the pack needs unlabelled, which this fastload does not"):
        open_pack(pack)


def test_recoding_there_and_back(folder: Path, pack: Path, tmp_path: Path) -> None:
    dct = recode_pack(open_pack(pack), tmp_path / "new.dct.pack", "dct", workers=1).path
    packed = fastload.pack(folder, tmp_path / "packed.pack", unlabelled=True, codec="dct").path
    assert tree(dct) == tree(packed)
    back = recode_pack(open_pack(dct), tmp_path / "back.pack", "jpeg", workers=1).path
    assert tree(back) == tree(pack)


def test_appending_to_an_unlabelled_pack(folder: Path, pack: Path, tmp_path: Path) -> None:
    (tmp_path / "more" / "b").mkdir(parents=True)
    for number, path in enumerate(("b/1.jpg", "a.jpg", "b/0.jpg")):
        (tmp_path / "more" / path).write_bytes(saved(photo(24, 20 + number, 50 + number), "JPEG"))
    (tmp_path / "more" / "b" / "copy.jpg").write_bytes((folder / "b.jpg").read_bytes())
    report = fastload.append(pack, tmp_path / "more")
    assert report.renamed == [("b/1.jpg", "b/1~2.jpg")]
    assert [match.contradicts for match in report.duplicates] == [False]
    names, samples = read(pack)
    assert names == []
    paths = [path for path, _, _, _ in samples]
    assert paths[:4] == ["10.JPG", "9.png", "a.jpg", "b.jpg"]
    assert paths[4:8] == ["b/0.jpg", "b/1.jpg", "b/1~2.jpg", "b-c/2.jpg"]
    assert fastload.ImageFolder(pack).targets == [-1] * 10
    assert list(faults(open_pack(pack))) == []


def test_resuming_needs_the_same_flag(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data", bad=1)
    with pytest.raises(PackError, match="bad0"):
        fastload.pack(root, strict=True, cls=False)
    with pytest.raises(PackError, match="half written with other options"):
        fastload.pack(root, unlabelled=True)


def test_packing_again_does_nothing(folder: Path, pack: Path, tmp_path: Path) -> None:
    assert fastload.pack(folder, unlabelled=True).already_packed
    root = small_folder(tmp_path / "data")
    fastload.pack(root, cls=False)
    with pytest.raises(PackError, match="the label folder has changed"):
        fastload.pack(root, unlabelled=True)


def test_what_cannot_be_packed(tmp_path: Path, pack: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        fastload.pack(tmp_path / "nowhere", unlabelled=True)
    (tmp_path / "empty" / "below").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="Found no valid file in"):
        fastload.pack(tmp_path / "empty", unlabelled=True)
    with pytest.raises(PackError, match="is a pack already"):
        fastload.pack(pack, tmp_path / "x.pack", unlabelled=True)
    root = write_folder(tmp_path / "loop", ("a/1.jpg",))
    (root / "a" / "again").symlink_to(root)
    with pytest.raises(PackError, match="/again is a link to a folder above it"):
        fastload.pack(root, unlabelled=True)


def test_images_without_class_folders_need_the_flag(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "flat", ("1.jpg",))
    with pytest.raises(FileNotFoundError, match="`fastload pack --unlabelled` packs them"):
        fastload.pack(root)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": [{"name": "a", "count": 7}]}, "is unlabelled and has classes"),
        ({"required_features": ["binary-paths"]}, "the shards hold 7 and the classes 0"),
    ],
)
def test_manifests_that_contradict_themselves(
    pack: Path, change: dict[str, Any], words: str
) -> None:
    rewrite_manifest(pack, lambda content: content.update(change))
    with pytest.raises(PackError, match=words):
        open_pack(pack)


def test_labels_and_paths_are_checked(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "flat", ("1.jpg", "2.jpg"))
    pack = fastload.pack(root, unlabelled=True).path
    rewrite_paths(pack, ["1.jpg", "../2.jpg"])
    found = [fault.reason for fault in faults(open_pack(pack))]
    assert "its path '../2.jpg' leaves the folder" in found
    rewrite_column(pack, "label", lambda values: values.__setitem__(1, 1))
    with pytest.raises(PackError, match="record 1 has label 1 of 1 classes"):
        assert open_pack(pack).index.label is None
