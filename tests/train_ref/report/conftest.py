"""A small pack with names that a page has to get right, and runs over it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastload
from tests.conftest import picture
from tests.train_ref.report.run_folders import Recipe, made_run
from train_ref.report import read_run, write_folds, write_report
from train_ref.run_folder import RunFolder

FOLDS = 3
CLASSES = {
    "훼손": 24,
    "창틀,문틀수정": 12,
    '<img src=x onerror="window.broken=1">': 9,
    "{{ 7*7 }} & 'co'": 6,
    "걸레받이수정": 3,
}


def write_pictures(root: Path, counts: dict[str, int], seed: int) -> Path:
    rng = np.random.default_rng(seed)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            sides = (int(side) for side in rng.integers(40, 90, 2))
            Image.fromarray(picture(rng, *sides)).save(root / name / f"<b>{number:03d}.png")
    return root


@pytest.fixture(scope="session")
def walls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of 55 pictures in 5 classes, the last a mirrored copy of the first; split two ways.

    "apart" has the two on different sides in folds 0 and 1, "together" never.
    """
    root = write_pictures(tmp_path_factory.mktemp("walls") / "walls", CLASSES, seed=1)
    with Image.open(root / "훼손" / "<b>000.png") as first:
        first.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(root / "훼손" / "copy.png")
    pack = fastload.pack(root, workers=2).path
    fastload.folds(pack, FOLDS).save("together")
    records = {path: record for record, path in enumerate(paths_of(pack))}
    for seed in range(50):
        apart = fastload.folds(pack, FOLDS, group="none", seed=seed)
        sides = [apart.fold_of[records[f"훼손/{name}.png"]] for name in ("<b>000", "copy")]
        if sides[0] != sides[1]:
            apart.save("apart")
            return pack
    raise AssertionError("no seed divides the two")


def paths_of(pack: Path) -> list[str]:
    """Paths below the label folder, by record id."""
    images = fastload.ImageFolder(pack)
    records = images.records(np.arange(len(images), dtype=np.int64)).tolist()
    paths = [str(Path(path).relative_to(pack)) for path, _ in images.samples]
    return [path for _, path in sorted(zip(records, paths, strict=True))]


@pytest.fixture(scope="session")
def folds_of_walls(walls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three runs with their pages, one with signs in its name that links escape."""
    runs = tmp_path_factory.mktemp("runs")
    for fold, name in enumerate(("fold 0", "fold#1 50%", "<b>fold2")):
        made_run(runs / name, Recipe(walls, "apart", fold, seed=fold))
    found = [read_run(folder) for folder in sorted_runs(runs)]
    for run in found:
        write_report(run)
    write_folds(found)
    return runs


def sorted_runs(runs: Path) -> list[RunFolder]:
    """Their folders, by fold."""
    folders = [RunFolder(one) for one in runs.iterdir() if one.is_dir()]
    return sorted(folders, key=lambda one: one.read_facts()["fold"])
