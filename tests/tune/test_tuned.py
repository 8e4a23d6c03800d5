"""Choices are kept for a host, a pack and a transform, and taken by tuned=True."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
from torch.utils.data import Subset
from torchvision.transforms import v2

import fastload
from fastload.tuned import TunedSettings, find_tuned, home, save_tuned

FOUND = TunedSettings(num_workers=1, prefetch_factor=5, cache=0)
CROP = v2.Compose([v2.RandomResizedCrop(32), v2.PILToTensor()])


@pytest.fixture(autouse=True)
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("fastload.tuned.usable_cpus", lambda: 4)
    return tmp_path / "cache"


@pytest.fixture
def dataset(small_pack: Path) -> fastload.ImageFolder:
    return fastload.ImageFolder(small_pack, CROP)


def test_what_is_saved_is_found(dataset: fastload.ImageFolder, cache_home: Path) -> None:
    assert find_tuned(dataset) is None
    file = save_tuned(dataset, FOUND, cpus=4)
    assert file.parent == home() == cache_home / "fastload" / "tuned"
    assert find_tuned(dataset) == FOUND
    save_tuned(dataset, TunedSettings(3, 2), cpus=4)
    assert find_tuned(dataset) == TunedSettings(3, 2)
    assert len(list(home().iterdir())) == 1


def test_the_pack_is_known_by_its_content(dataset: fastload.ImageFolder, copy: Path) -> None:
    save_tuned(dataset, FOUND, cpus=4)
    moved = fastload.ImageFolder(shutil.move(copy, copy.with_name("moved.pack")), CROP)
    assert find_tuned(moved) == FOUND
    assert find_tuned(Subset(moved, [0, 1])) == FOUND


def test_another_transform_host_or_share_is_another_choice(
    dataset: fastload.ImageFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_tuned(dataset, FOUND, cpus=4)
    larger = v2.Compose([v2.RandomResizedCrop(33), v2.PILToTensor()])
    assert find_tuned(fastload.ImageFolder(dataset.root, larger)) is None
    same = v2.Compose([v2.RandomResizedCrop(32), v2.PILToTensor()])
    assert find_tuned(fastload.ImageFolder(dataset.root, same)) == FOUND
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert find_tuned(dataset) is None
    monkeypatch.delenv("LOCAL_WORLD_SIZE")
    monkeypatch.setattr("platform.node", lambda: "another")
    assert find_tuned(dataset) is None


def test_a_loader_takes_it(
    dataset: fastload.ImageFolder,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save_tuned(dataset, FOUND, cpus=4)
    with caplog.at_level(logging.INFO, "fastload"):
        loader = fastload.DataLoader(dataset, batch_size=4, tuned=True)
    (record,) = caplog.records
    assert record.message == (
        "tuned: num_workers=1, prefetch_factor=5, pin_memory=False, cache=0, decode='exact', "
        "engine='auto'"
    )
    assert (loader.num_workers, loader.prefetch_factor, loader.cache) == (1, 5, 0)
    loader.explain()
    assert "1 threads, 5 batches ahead" in capsys.readouterr().out


def test_what_the_caller_says_counts(dataset: fastload.ImageFolder) -> None:
    save_tuned(dataset, TunedSettings(1, 5, cache=0, decode="fast"), cpus=4)
    loader = fastload.DataLoader(dataset, num_workers=2, cache="1MB", tuned=True)
    assert (loader.num_workers, loader.cache) == (2, "1MB")
    assert (loader.prefetch_factor, loader.decode) == (5, "fast")


def test_batches_and_states_are_the_same(dataset: fastload.ImageFolder) -> None:
    save_tuned(dataset, FOUND, cpus=4)
    plain = fastload.DataLoader(dataset, 4, shuffle=True, seed=7)
    tuned = fastload.DataLoader(dataset, 4, shuffle=True, seed=7, tuned=True)
    assert plain.state_dict() == tuned.state_dict()
    for (images, labels), (same, targets) in zip(plain, tuned, strict=True):
        assert torch.equal(images, same) and torch.equal(labels, targets)


def test_nothing_found_is_said_once_with_the_command(dataset: fastload.ImageFolder) -> None:
    with pytest.warns(UserWarning, match="run `fastload tune .*photos.pack --transform") as warned:
        loader = fastload.DataLoader(dataset, tuned=True)
    assert len(warned) == 1
    assert loader.cache == "auto"


def test_a_dataset_that_is_no_pack_is_refused() -> None:
    with pytest.raises(ValueError, match="tuned=True needs a dataset made of packs, this one is"):
        fastload.DataLoader(torch.utils.data.TensorDataset(torch.zeros(3)), tuned=True)


@pytest.mark.parametrize(
    "change",
    [
        {"num_workers": 0},
        {"num_workers": True},
        {"num_workers": "2"},
        {"prefetch_factor": 10**6},
        {"cache": "all"},
        {"decode": "blurred"},
        {"engine": "steam"},
        {"pin_memory": 1},
        {"more": 1},
    ],
)
def test_a_file_that_is_not_right_is_not_taken(
    dataset: fastload.ImageFolder, change: dict[str, object]
) -> None:
    file = save_tuned(dataset, FOUND, cpus=4)
    content = json.loads(file.read_text())
    content["settings"].update(change)
    file.write_text(json.dumps(content))
    with pytest.warns(UserWarning, match="cannot be read"):
        assert find_tuned(dataset) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1}'])
def test_a_damaged_file_is_not_taken(dataset: fastload.ImageFolder, text: str) -> None:
    save_tuned(dataset, FOUND, cpus=4).write_text(text)
    with pytest.warns(UserWarning, match=r"cannot be read .* Run `fastload tune` again"):
        assert find_tuned(dataset) is None
