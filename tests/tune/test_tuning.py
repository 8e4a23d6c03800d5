"""Real loaders are tuned: datasets that sleep, a label folder, a pack."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info

import fastload
from fastload.engines.cache import shared_cache
from fastload.errors import TuneError
from fastload.presets import preset
from fastload.tune import FolderSettings, PackSettings, tune_folder, tune_pack
from fastload.tune.budget import Budget, read_budget

GB = 10**9
SECONDS = 0.1


class Sleeping(Dataset[torch.Tensor]):
    """Samples that take so many seconds, by the number of workers that make them.

    Args:
        seconds: by number of workers.
        floats: in a sample.
    """

    def __init__(self, seconds: dict[int, float], floats: int = 1) -> None:
        self._seconds = seconds
        self._sample = torch.zeros(floats)

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, index: int) -> torch.Tensor:
        info = get_worker_info()
        time.sleep(self._seconds[0 if info is None else info.num_workers])
        return self._sample


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two CPUs and room for all."""
    budget = Budget(2, 100 * GB, 100 * GB)
    monkeypatch.setattr("fastload.tune.course.read_budget", lambda ranks: budget)


def tried(tuning: Any) -> set[int]:
    return {trial.settings.num_workers for trial in tuning.trials}


@pytest.mark.usefixtures("machine")
def test_a_loader_whose_best_is_at_three_workers() -> None:
    # Four get into each other's way.
    dataset = Sleeping({0: 0.02, 1: 0.02, 2: 0.02, 3: 0.02, 4: 0.06})
    tuning = tune_folder(dataset, batch_size=2, seconds=SECONDS)
    assert tuning.choice.settings.num_workers == 3
    assert tuning.choice.images_per_second == pytest.approx(150, rel=0.25)
    assert tried(tuning) == {0, 1, 2, 3, 4}
    assert tuning.choice in tuning.trials
    # Starting three processes costs more than 3 % of an epoch of seven seconds, or it does not.
    assert tuning.turn is not None
    assert tuning.choice.settings.persistent_workers is tuning.turn.worth_keeping


@pytest.mark.usefixtures("machine")
def test_a_step_slower_than_any_loader() -> None:
    dataset = Sleeping(dict.fromkeys(range(5), 0.0))
    tuning = tune_folder(dataset, batch_size=2, step=lambda batch: time.sleep(0.1), seconds=SECONDS)
    assert tuning.headroom is not None
    assert tuning.headroom.images_per_second == pytest.approx(20, rel=0.1)
    assert tuning.verdict.endswith("data is not the bottleneck.")
    assert tried(tuning) == {0}


def test_a_container_of_one_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "membership").write_text("0::/\n")
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    inside = functools.partial(read_budget, membership=tmp_path / "membership", root=tmp_path)
    monkeypatch.setattr("fastload.tune.course.read_budget", inside)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)))
    dataset = Sleeping(dict.fromkeys(range(65), 0.005))
    tuning = tune_folder(dataset, batch_size=2, seconds=0.02)
    assert tuning.budget.cpus == 1
    assert max(tried(tuning)) == 2


def test_what_shared_memory_does_not_hold_is_refused_and_not_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "fastload.tune.course.read_budget", lambda ranks: Budget(2, 100 * GB, 64_000)
    )
    dataset = Sleeping({0: 0.001}, floats=4000)
    tuning = tune_folder(dataset, batch_size=2, seconds=0.02)
    assert tuning.choice.settings == FolderSettings(0)
    (first, *_) = tuning.refused
    assert first.reason.startswith(
        "1 workers x 2 batches of 32.0 kB need 64.0 kB of /dev/shm, 51.2 kB may be taken"
    )
    assert json.loads(json.dumps(tuning.as_dict()))["refused"][0]["reason"] == first.reason


def test_where_not_even_a_batch_fits_tuning_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastload.tune.course.read_budget", lambda ranks: Budget(2, 10_000, 0))
    with pytest.raises(TuneError, match=r"Not even the smallest setting fits here: .*smaller"):
        tune_folder(Sleeping({0: 0.0}, floats=4000), batch_size=2, seconds=SECONDS)


class Dying(Sleeping):
    """Samples that kill the worker that makes them."""

    def __getitem__(self, index: int) -> torch.Tensor:
        if get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


@pytest.mark.usefixtures("machine")
def test_workers_that_die_are_told_and_not_taken() -> None:
    tuning = tune_folder(Dying({0: 0.001}), batch_size=2, seconds=0.02)
    assert tuning.choice.settings == FolderSettings(0)
    assert {trial.settings.num_workers for trial in tuning.trials if trial.failure} == {1, 2}
    assert all("DataLoader worker" in trial.failure for trial in tuning.trials if trial.failure)


@pytest.mark.usefixtures("machine")
def test_a_target_ends_the_search() -> None:
    tuning = tune_folder(
        Sleeping(dict.fromkeys(range(5), 0.01)), batch_size=2, target=50.0, seconds=SECONDS
    )
    assert tuning.choice.settings == FolderSettings(0)
    assert tuning.verdict.endswith("the target of 50 is reached.")


@pytest.mark.usefixtures("machine")
def test_the_line_of_code_runs(label_folder: Path) -> None:
    tuning = tune_folder(label_folder, preset("eval"), batch_size=4, target=1.0, seconds=0.02)
    from torchvision.datasets import ImageFolder

    names: dict[str, Any] = {"dataset": ImageFolder(label_folder, preset("eval"))}
    exec(tuning.code, names)
    assert type(names["loader"]) is torch.utils.data.DataLoader
    assert next(iter(names["loader"]))[0].shape == (4, 3, 224, 224)
    assert tuning.images == tuning.sampled == 22
    assert "RandomResizedCrop" not in tuning.transform and "CenterCrop" in tuning.transform


@pytest.mark.usefixtures("machine")
def test_a_pack(small_pack: Path) -> None:
    threads: list[int] = []
    tuning = tune_pack(
        small_pack,
        preset("train"),
        batch_size=8,
        seconds=0.03,
        progress=lambda settings, window: threads.append(settings.num_workers),
    )
    assert isinstance(tuning.choice.settings, PackSettings)
    assert {1, 2} <= tried(tuning) <= {1, 2, 3}
    assert threads.count(tuning.choice.settings.num_workers) >= 3
    assert {trial.settings.cache for trial in tuning.trials} == {"auto", 0}
    assert all(trial.settings.decode == "exact" for trial in tuning.trials)
    cached = [trial for trial in tuning.trials if trial.settings.cache == "auto"]
    assert all(trial.memory > 22 * 2000 for trial in cached)
    names: dict[str, Any] = {"dataset": fastload.ImageFolder(small_pack, preset("train"))}
    exec(tuning.code, names)
    assert isinstance(names["loader"], fastload.DataLoader)
    assert next(iter(names["loader"]))[0].shape == (8, 3, 224, 224)
    # All of the cache is given back.
    names.clear()
    assert shared_cache().facts().budget == 0


@pytest.mark.usefixtures("machine")
def test_other_pixels_are_tried_where_they_are_asked_for(small_pack: Path) -> None:
    tuning = tune_pack(
        small_pack,
        preset("train"),
        batch_size=8,
        seconds=0.02,
        engines=("native", "torch"),
        decodes=("exact", "fast"),
    )
    settings = [trial.settings for trial in tuning.trials]
    assert {one.engine for one in settings} == {"auto", "torch"}
    assert {one.decode for one in settings} == {"exact", "fast"}
    assert sum("pixels" in note for note in tuning.notes) == 2


def test_of_records_that_the_cache_does_not_keep_it_is_not_tried(
    label_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "jpegs/ant").mkdir(parents=True)
    for file in (label_folder / "ant").glob("*.jpg"):
        shutil.copy(file, tmp_path / "jpegs/ant")
    pack = fastload.pack(tmp_path / "jpegs", codec="dct").path
    tuning = tune_pack(pack, preset("train"), batch_size=4, target=1.0, seconds=0.02)
    assert [trial.settings for trial in tuning.trials] == [PackSettings(1, cache=0)]
    assert "The cache would keep nothing" in tuning.notes[0]


@pytest.mark.parametrize("name", ["batch_size", "seconds", "ranks", "target"])
def test_numbers_that_are_too_small_are_refused(small_pack: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 0"):
        tune_pack(small_pack, preset("train"), **{name: 0})


def test_what_has_no_numbers_cannot_be_tuned(small_pack: Path) -> None:
    class Stream(IterableDataset[int]):
        def __iter__(self) -> Iterator[int]:
            return iter(range(3))

    with pytest.raises(TypeError, match="Stream has no length"):
        tune_folder(Stream())
    with pytest.raises(TypeError, match="its own transform"):
        tune_folder(Sleeping({}), preset("train"))
    with pytest.raises(TypeError, match="its own transform"):
        tune_pack(fastload.ImageFolder(small_pack), preset("train"))
