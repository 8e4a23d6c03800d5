"""The native decode with every set of instructions: Pillow's pixels, or in fast mode the same."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

DATA = Path(os.environ.get("FASTLOAD_TEST_DATA", Path(__file__).parents[3] / "shared/data"))

PROGRAM = """
import io
import numpy as np
from PIL import Image
from fastload.native.library import decode, jpeg_transcode

random = np.random.default_rng(5)
for trial in range(120):
    height, width = map(int, random.integers(1, 200, 2))
    rows, columns = np.mgrid[:height, :width]
    waves = np.sin(rows / random.uniform(3, 40)) + np.cos(columns / random.uniform(3, 40))
    noise = random.normal(0, random.choice([0, 5, 60]), (height, width, 3))
    rgb = (128 + 60 * waves[..., None] * random.uniform(-1, 1, 3) + noise).clip(0, 255)
    image = Image.fromarray(rgb.astype(np.uint8))
    if trial % 5 == 4:
        image = image.convert("L")
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(random.integers(20, 101)), subsampling=trial % 3)
    seekable = jpeg_transcode(file.getvalue()).jpeg
    assert np.array_equal(decode(seekable, 0), np.asarray(Image.open(file).convert("RGB"))), trial
"""


LEVELS = ["portable", "avx2", "avx512"]

FAST_PROGRAM = """
import hashlib, sys
from torchvision.transforms import v2
import fastload

digest = hashlib.sha256()
for size, name in [(6, "bilinear"), (20, "bicubic"), (32, "lanczos"), (150, "hamming")]:
    crop = v2.RandomResizedCrop(size, interpolation=v2.InterpolationMode(name))
    dataset = fastload.ImageFolder(sys.argv[1], v2.Compose([crop, v2.PILToTensor()]))
    for images, _ in fastload.DataLoader(dataset, 22, seed=1, decode="fast"):
        digest.update(images.numpy().tobytes())
print(digest.hexdigest())
"""


def outputs_of(program: str, *arguments: str) -> dict[str, str]:
    """What a program prints, by level; all levels run at the same time."""
    command = [sys.executable, "-c", program, *arguments]
    running = {
        level: subprocess.Popen(
            command, env=os.environ | {"FASTLOAD_SIMD": level}, stdout=subprocess.PIPE, text=True
        )
        for level in LEVELS
    }
    printed = {level: process.communicate(timeout=240)[0] for level, process in running.items()}
    assert [process.returncode for process in running.values()] == [0] * len(LEVELS)
    return printed


def test_every_instruction_set_equals_pillow() -> None:
    outputs_of(PROGRAM)


def test_fast_decoding_is_the_same_with_every_instruction_set(small_pack: Path) -> None:
    assert len(set(outputs_of(FAST_PROGRAM, str(small_pack)).values())) == 1


# Prints for each file of which a list has the path the digests of its pixels, decoded from both
# codecs that are decoded without libjpeg.
DIGESTS_PROGRAM = """
import hashlib
import sys
from pathlib import Path
from fastload.native.library import dct_of_jpeg, decode, jpeg_transcode

for path in Path(sys.argv[1]).read_text().splitlines():
    seekable = jpeg_transcode(Path(path).read_bytes()).jpeg
    of_jpeg, of_dct = decode(seekable, 0), decode(dct_of_jpeg(seekable), 1)
    print(hashlib.sha256(of_jpeg).hexdigest(), hashlib.sha256(of_dct).hexdigest())
"""


def files_of(name: str) -> list[Path]:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not at {folder} (set FASTLOAD_TEST_DATA)")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def digest_by_pillow(path: Path) -> str:
    return hashlib.sha256(Image.open(path).convert("RGB").tobytes()).hexdigest()


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("name", ["imagenet-lt20", "magnetic-tile"])
def test_every_instruction_set_decodes_real_photos_as_pillow_does(
    name: str, tmp_path: Path
) -> None:
    files = files_of(name)
    (tmp_path / "list").write_text("".join(f"{path}\n" for path in files))
    found = outputs_of(DIGESTS_PROGRAM, str(tmp_path / "list"))
    wanted = [f"{digest} {digest}" for digest in map(digest_by_pillow, files)]
    for level, printed in found.items():
        got = printed.splitlines()
        assert len(got) == len(files)
        wrong = [path for path, a, b in zip(files, got, wanted, strict=True) if a != b]
        assert not wrong, f"{level}: {wrong[:3]} and so on, {len(wrong)} in all"
