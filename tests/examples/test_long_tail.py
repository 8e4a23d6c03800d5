"""examples/long_tail.py: what it draws, and the whole run at a tenth of the images."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "long_tail.py"
COUNTS = [1405, 595, 307, 210, 162, 145, 142, 130, 99, 57, 54, 51, 27, 22, 17, 14, 12, 5, 3]
TENTH = [140, 60, 31, 21, 16, 14, 14, 13, 10, 6, 5, 5, *[3] * 7]


@pytest.fixture(scope="module")
def long_tail() -> ModuleType:
    spec = importlib.util.spec_from_file_location("long_tail", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["long_tail"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("share", "counts"), [(1.0, COUNTS), (0.1, TENTH), (0.001, [3] * 19)])
def test_counts(long_tail: ModuleType, share: float, counts: list[int]) -> None:
    labels = [label for path, label, _ in long_tail.drawings(share) if path.startswith("train/")]
    assert np.bincount(labels).tolist() == counts


def test_each_class_is_predicted_too_in_no_order(long_tail: ModuleType) -> None:
    labels = [label for path, label, _ in long_tail.drawings(0.1) if path.startswith("test/")]
    assert set(labels) == set(range(19))
    assert labels != sorted(labels)


def test_pictures_are_the_same_for_the_same_seed_alone(long_tail: ModuleType) -> None:
    first, again, other = (long_tail.draw_picture(4, seed) for seed in ((0, 1), (0, 1), (1, 1)))
    assert first.size == (640, 620) and first.mode == "RGB"
    assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize("label", range(19))
def test_every_class_leaves_a_mark_of_its_colour(long_tail: ModuleType, label: int) -> None:
    pixels = np.asarray(long_tail.draw_picture(label, (0, 0)), int)
    colour = np.array(long_tail.COLOURS[label // 7])
    near = (abs(pixels - colour).max(axis=2) < 50).mean()
    assert 0.01 < near < 0.5


def test_the_page_trains_as_the_readme_does(long_tail: ModuleType) -> None:
    commands = [" ".join(command) for command in long_tail.commands_of(long_tail.PAGE)]
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    shown = [line for line in readme if line.startswith("python -m train_ref fit")]
    assert len(shown) == 1
    assert shown[0] in commands


@pytest.mark.slow
def test_from_a_folder_to_a_submission(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--share", "0.1", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "right names, right rows" in done.stdout
    first = Image.open(tmp_path / "data" / "train" / "창틀,문틀수정" / "0000.png")
    assert first.format == "PNG" and first.size == (640, 620)
