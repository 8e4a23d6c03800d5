"""Packs, parts and loaders: what is opened, made, kept, refused."""

from __future__ import annotations

import shutil
import unicodedata
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset

import fastload
from tests.conftest import COUNTS, write_label_folder
from train_ref import data
from train_ref.config import Config
from train_ref.distributed import Place
from train_ref.errors import TrainError
from train_ref.models.classifier import InputConfig

CPU = Place(torch.device("cpu"))
SMALL = InputConfig(size=8)
SETTINGS = Config(workers=1, cache="0", batch_size=4, seed=3)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """So few images come often, which the loader says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def test_a_label_folder_is_packed_next_to_it_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_label_folder(tmp_path / "photos", {"a": 2, "b": 1})
    opened = data.open_data(SETTINGS, folder)
    assert Path(opened.root) == tmp_path / "photos.pack"
    assert "packed first, next to it" in capsys.readouterr().err
    assert data.open_data(SETTINGS, folder).class_counts.tolist() == [2, 1]
    assert "packed already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "words"),
    [("", "nothing to learn from"), ("gone", "not there"), ("file", "a file"), (".", "class")],
)
def test_what_is_no_data_is_one_message(tmp_path: Path, path: str, words: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainError, match=words):
        data.open_data(SETTINGS, tmp_path / path if path else "")


def test_a_hold_out_is_made_once_and_taken_again(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = SETTINGS.replace(data=str(copy), val=0.25)
    first = data.open_parts(config)
    assert first.val is not None and first.split == "holdout25"
    assert "kept apart" in capsys.readouterr().err
    again = data.open_parts(config.replace(seed=99))
    assert again.val is not None and not capsys.readouterr().err
    kept = [data.paths_of(part)[1] for part in (first.train, first.val)]
    assert [data.paths_of(part)[1] for part in (again.train, again.val)] == kept
    assert not set(kept[0]) & set(kept[1]) and len(kept[0]) + len(kept[1]) == 22


def test_each_image_validates_in_one_fold(copy: Path) -> None:
    found: list[str] = []
    for fold in range(2):
        parts = data.open_parts(SETTINGS.replace(data=str(copy), folds=2, fold=fold))
        assert parts.val is not None and parts.split == "folds2" and parts.fold == fold
        assert parts.counts.sum() + len(parts.val) == 22
        found += data.paths_of(parts.val)[1]
    assert len(found) == len(set(found)) == 22


def test_other_groups_make_another_split(copy: Path) -> None:
    made = set()
    for group in ("none", "path:[^/]+$", r"path:([0-9]+)"):
        parts = data.open_parts(SETTINGS.replace(data=str(copy), folds=2, fold=0, group=group))
        made.add(f"{parts.split}.arrow")
    assert {path.name for path in (copy / "splits").iterdir()} == made and len(made) == 3
    assert "folds2-none.arrow" in made


def test_a_named_split_is_taken(copy: Path) -> None:
    fastload.folds(copy, 3).save("mine")
    parts = data.open_parts(SETTINGS.replace(data=str(copy), split="mine", fold=2))
    assert (parts.split, parts.fold) == ("mine", 2)


def test_a_split_that_cannot_be_saved_is_used_all_the_same(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Path:
        raise fastload.PackError("Permission denied")

    monkeypatch.setattr(fastload.Split, "save", refuse)
    parts = data.open_parts(SETTINGS.replace(data=str(copy)))
    assert parts.val is not None and len(parts.val) and parts.split is not None
    assert "hold-out of 0.2" in parts.split


def test_nothing_is_held_out_where_nothing_is_asked_for(small_pack: Path) -> None:
    parts = data.open_parts(SETTINGS.replace(data=str(small_pack), val=0.0))
    assert parts.val is None and parts.counts.tolist() == list(COUNTS.values())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"fold": 0}, "--folds NUMBER"),
        ({"fold": 5, "folds": 5}, "0 to 4"),
        ({"split": "x", "folds": 5}, "--split names"),
        ({"val_data": "x", "folds": 5}, "--val-data is validated with, and --folds"),
        ({"split": "gone"}, "no split 'gone'"),
    ],
)
def test_contradictions_are_one_message(
    small_pack: Path, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(TrainError, match=words):
        data.open_parts(SETTINGS.replace(data=str(small_pack), **settings))


def test_validation_data_needs_the_same_classes(small_pack: Path, tmp_path: Path) -> None:
    other = write_label_folder(tmp_path / "val", {"ant": 1, "fox": 1})
    config = SETTINGS.replace(data=str(small_pack), val_data=str(other))
    with pytest.raises(TrainError, match="only --data has bee, cat, dog; only --val-data has fox"):
        data.open_parts(config)
    same = tmp_path / "same.pack"
    shutil.copytree(small_pack, same)
    parts = data.open_parts(config.replace(val_data=str(same)))
    assert parts.val is not None and len(parts.val) == 22 and parts.split is None


def test_unlabelled_images_teach_nothing(tmp_path: Path) -> None:
    folder = write_label_folder(tmp_path / "images", {"a": 2})
    pack = fastload.pack(folder, unlabelled=True).path
    with pytest.raises(TrainError, match="--unlabelled"):
        data.open_parts(SETTINGS.replace(data=str(pack)))


def test_classes_with_exceptions_have_transforms_of_their_own(small_pack: Path) -> None:
    config = SETTINGS.replace(rotate=9, no_hflip_classes=("cat", "ant"), no_rotate_classes=("ant",))
    whole = fastload.ImageFolder(small_pack)
    dataset = data.training_dataset(config, whole, SMALL)
    assert isinstance(dataset, ConcatDataset)
    done: dict[str, list[bool]] = {}
    for part in dataset.datasets:
        shown = repr(part.dataset.transform)
        labels = np.asarray(whole.targets)[part.indices]
        for label in np.unique(labels):
            done[whole.classes[label]] = ["HorizontalFlip" in shown, "Rotation" in shown]
            assert (labels == label).sum() == COUNTS[whole.classes[label]]
    both = [True, True]
    assert done == {"ant": [False, False], "bee": both, "cat": [False, True], "dog": both}
    assert whole.transform is None


def test_balance_works_with_exceptions(small_pack: Path) -> None:
    config = SETTINGS.replace(no_hflip_classes=("cat",), balance="class")
    whole = fastload.ImageFolder(small_pack)
    loader = data.training_loader(data.training_dataset(config, whole, SMALL), config, CPU)
    labels = torch.cat([labels for _, labels in loader])
    assert len(labels) == 20  # five whole batches of 22
    assert torch.bincount(labels, minlength=4).min() >= 4


def test_exceptions_know_names_in_any_unicode_form(tmp_path: Path) -> None:
    folder = write_label_folder(tmp_path / "한글", {"훼손": 1, "창틀,문틀수정": 1})
    whole = data.open_data(SETTINGS, folder)
    decomposed = unicodedata.normalize("NFD", "훼손")
    assert decomposed not in whole.classes
    config = SETTINGS.replace(no_hflip_classes=(decomposed, "창틀,문틀수정"))
    assert "HorizontalFlip" not in repr(data.training_dataset(config, whole, SMALL))
    with pytest.raises(TrainError, match=r"--no-vflip-classes names '문틀수정'.*'창틀,문틀수정'"):
        data.training_dataset(config.replace(no_vflip_classes=("문틀수정",)), whole, SMALL)


def test_unknown_balances_are_refused_by_the_flags_name() -> None:
    data.check_balance(SETTINGS.replace(balance="effective:0.99"))
    data.check_balance(SETTINGS.replace(balance="progressive"))
    with pytest.raises(TrainError, match=r"--balance: .*'sqrt'"):
        data.check_balance(SETTINGS.replace(balance="sqr"))


def test_ranks_and_parts_cut_a_batch(small_pack: Path) -> None:
    dataset = data.training_dataset(SETTINGS, fastload.ImageFolder(small_pack), SMALL)
    loader = data.training_loader(dataset, SETTINGS, Place(torch.device("cpu"), 0, 2))
    assert loader.batch_size == 2 and loader.drop_last
    with pytest.raises(TrainError, match="--batch-size 4 cannot be cut"):
        data.training_loader(dataset, SETTINGS, Place(torch.device("cpu"), 0, 3))
    with pytest.raises(TrainError, match="--accumulate 4"):
        data.training_loader(dataset, SETTINGS.replace(accumulate=4), Place(CPU.device, 0, 2))
    few = data.training_loader(dataset, SETTINGS.replace(batch_size=64), CPU)
    assert len(few) == 1 and not few.drop_last


def test_the_mix_is_what_the_settings_say() -> None:
    assert data.training_mix(SETTINGS, 3) is None
    assert repr(data.training_mix(SETTINGS.replace(mixup=0.2), 3)).startswith("MixUp")
    assert repr(data.training_mix(SETTINGS.replace(cutmix=1.0), 3)).startswith("CutMix")
    both = data.training_mix(SETTINGS.replace(mixup=0.2, cutmix=1.0), 3)
    assert "MixUp" in repr(both) and "CutMix" in repr(both)


def test_evaluation_has_each_image_once_in_order(small_pack: Path) -> None:
    whole = fastload.ImageFolder(small_pack)
    loader = data.evaluation_loader(whole, SETTINGS.replace(device="cpu"), SMALL, size=16)
    batches = list(loader)
    assert torch.cat([labels for _, labels in batches]).tolist() == list(whole.targets)
    assert batches[0][0].shape == (4, 3, 16, 16) and batches[0][0].dtype == torch.uint8
    assert batches[0][0].is_contiguous(memory_format=torch.channels_last)


def test_what_the_loader_refuses_is_one_message(small_pack: Path) -> None:
    config = SETTINGS.replace(device="cpu", cache="a lot")
    with pytest.raises(TrainError, match=r"The loader cannot be made: .*a lot"):
        data.evaluation_loader(fastload.ImageFolder(small_pack), config, SMALL)
