"""The wheel: one for every Python, all of the package in it, nothing needed from the system."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT

HERE = Path(__file__).parent

# What a Linux with glibc always has.
SYSTEM_LIBRARIES = {"libc.so.6", "libm.so.6", "libpthread.so.0", "ld-linux-x86-64.so.2"}

PACK_AND_LOAD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import numpy as np
from PIL import Image
import fastload
assert Path(fastload.__file__).is_relative_to(sys.argv[1]), fastload.__file__
folder = Path(sys.argv[2])
for label, name in enumerate(("dark", "light")):
    (folder / "photos" / name).mkdir(parents=True)
    level = np.full((20, 30, 3), 60 + 120 * label, np.uint8)
    for number in range(3):
        Image.fromarray(level).save(folder / "photos" / name / f"{number}.jpg")
fastload.pack(folder / "photos", folder / "photos.pack")
dataset = fastload.ImageFolder(folder / "photos.pack")
image, label = dataset[5]
assert (image.size, label) == ((30, 20), 1)
from torchvision.transforms import v2
import torch
dataset.transform = v2.Compose([v2.CenterCrop(8), v2.PILToTensor()])
images, labels = next(iter(fastload.DataLoader(dataset, batch_size=6)))
assert images.shape == (6, 3, 8, 8) and images.dtype == torch.uint8
assert images.float().mean((1, 2, 3)).round().tolist() == [60] * 3 + [180] * 3
assert labels.tolist() == [0] * 3 + [1] * 3
"""


def dynamic_section(library: Path) -> str:
    command = ["readelf", "--dynamic", "--wide", str(library)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def library(installed: Path) -> Path:
    return installed / "fastload" / "native" / "libfastload.so"


def test_tag_is_any_python_3_on_linux(wheel: Path) -> None:
    assert re.fullmatch(r"fastload-[\d.]+-py3-none-linux_x86_64\.whl", wheel.name)


def test_whole_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    packages = (ROOT / "fastload", ROOT / "train_ref")
    modules = {str(path.relative_to(ROOT)) for one in packages for path in one.rglob("*.py")}
    others = {"fastload/py.typed", "fastload/native/libfastload.so"}
    pages = (path for one in packages for path in one.glob("**/page/*"))
    others |= {str(path.relative_to(ROOT)) for path in pages}
    assert {"train_ref/report/page/report.html", "fastload/pages/page/frame.html"} <= others
    # The notice is the system package's; a libjpeg from elsewhere may come without one.
    assert names - {"fastload/native/libjpeg-turbo.copyright"} == modules | others


def test_metadata(installed: Path) -> None:
    (folder,) = installed.glob("*.dist-info")
    metadata = Parser().parsestr((folder / "METADATA").read_text())
    assert metadata["Requires-Python"] == ">=3.10"
    assert set(metadata.get_all("Provides-Extra", [])) >= {"bench", "dali", "dev", "ffcv", "train"}
    requirements = metadata.get_all("Requires-Dist", [])
    required = [line.split(">=") for line in requirements if "extra ==" not in line]
    assert sorted(name for name, _ in required) == [
        "click", "jinja2", "numpy", "pillow", "pyarrow", "rich", "scikit-learn", "torch",
        "torchvision", "typing-extensions",
    ]  # fmt: skip
    pins = dict(line.split("==") for line in (HERE / "oldest.txt").read_text().splitlines()[1:])
    assert all(pins[name].startswith(bound) for name, bound in required), (
        "what make test-oldest tries"
    )
    entry = (folder / "entry_points.txt").read_text()
    assert "fastload = fastload.cli:main" in entry


def test_needs_no_library_but_the_systems(library: Path) -> None:
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic_section(library)))
    assert needed
    assert needed <= SYSTEM_LIBRARIES


def test_exports_its_own_names_alone(library: Path) -> None:
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", str(library)]
    symbols = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    names = [line.split()[0] for line in symbols.splitlines()]
    assert "fl_crc32c" in names
    assert [name for name in names if not name.startswith("fl_")] == []


def test_packs_and_loads_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PACK_AND_LOAD, str(installed), str(tmp_path)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
