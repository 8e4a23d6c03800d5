"""Small label folders and their packs, made once for all tests."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Kernels are interpreted on the CPU. Triton looks at it as it is imported, which libraries of
# training loops do as soon as tests of them are collected.
os.environ.setdefault("TRITON_INTERPRET", "1")

import fastload

COUNTS = {"ant": 9, "bee": 6, "cat": 2, "dog": 5}
_REAL_DATA = Path(os.environ.get("FASTLOAD_TEST_DATA", Path(__file__).parents[2] / "shared/data"))


def picture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Smooth colours with some noise, uint8 RGB: compresses and resizes as a photo does."""
    rows = np.linspace(0, 1, height)[:, None, None]
    columns = np.linspace(0, 1, width)[None, :, None]
    waves = np.sin(6 * (rows * rng.uniform(0, 2, 3) + columns * rng.uniform(0, 2, 3)))
    noise = rng.normal(0, 8, (height, width, 3))
    return np.clip(127 + 100 * waves + noise, 0, 255).astype(np.uint8)


def write_label_folder(root: Path, counts: dict[str, int] = COUNTS, seed: int = 0) -> Path:
    """JPEG in several samplings, PNG and grey images between 40 and 130 pixels a side."""
    rng = np.random.default_rng(seed)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            height, width = (int(side) for side in rng.integers(40, 130, 2))
            image = Image.fromarray(picture(rng, height, width))
            file = root / name / f"{number:03d}"
            if number % 4 == 3:
                image.save(file.with_suffix(".png"))
            elif number % 4 == 2:
                image.convert("L").save(file.with_suffix(".jpg"), quality=90)
            else:
                image.save(file.with_suffix(".jpg"), quality=90, subsampling=2 * (number % 2))
    return root


@pytest.fixture
def heard_ctrl_c() -> Iterator[None]:
    """SIGINT interrupts this process and its children, also where a script runs the tests behind.

    Shells let their background commands ignore it, and Python then leaves it ignored.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def label_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """22 images in four classes."""
    return write_label_folder(tmp_path_factory.mktemp("data") / "photos")


@pytest.fixture(scope="session")
def small_pack(label_folder: Path) -> Path:
    """The pack of ``label_folder``. Not to be changed."""
    return fastload.pack(label_folder, workers=2).path


@pytest.fixture
def copy(small_pack: Path, tmp_path: Path) -> Path:
    """The pack of 22 images, to be changed at will."""
    shutil.copytree(small_pack, tmp_path / "copy.pack")
    return tmp_path / "copy.pack"


@pytest.fixture(scope="session")
def real_photos() -> Path:
    """1000 photos in 20 classes, where the data is on this machine."""
    folder = _REAL_DATA / "imagenet-lt20"
    if not folder.is_dir():
        pytest.skip(f"real photos are not at {folder} (set FASTLOAD_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.skip("no Chromium on this machine (tools/environment.sh gets it)")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()
