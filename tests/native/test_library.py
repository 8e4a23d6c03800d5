"""The door itself: errors, threads, a library that is not there."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fastload.errors import FastloadError
from fastload.native import library


def test_codes_are_those_of_the_header() -> None:
    header = Path(library.__file__).with_name("error.h")
    if not header.exists():
        pytest.skip("an installed fastload has no C++ sources")
    lines = [line.split("//")[0].strip(" ,") for line in header.read_text().splitlines()]
    codes = dict(line.split(" = ") for line in lines if line.startswith("FL_"))
    del codes["FL_OK"]
    assert {f"FL_{code.name}": str(code.value) for code in library.NativeCode} == codes


def test_errors_are_picklable_and_of_the_family() -> None:
    with pytest.raises(FastloadError) as caught:
        library.jpeg_transcode(b"nothing")
    error = caught.value
    assert isinstance(error, library.NativeError)
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, str(again)) == (error.code, str(error))


def test_calls_from_many_threads_do_not_mix() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (40 + k, 50, 3), np.uint8) for k in range(24)]

    def there_and_back(pixels: np.ndarray) -> bool:
        same = np.array_equal(library.qoi_decode(library.qoi_encode(pixels)), pixels)
        try:
            library.qoi_decode(b"qoif" + bytes(len(pixels)))
        except library.NativeError as error:
            return same and "damaged QOI" in str(error)
        return False

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(there_and_back, pictures * 4))


def test_a_missing_library_says_what_to_do(tmp_path: Path) -> None:
    alone = tmp_path / "fastload" / "native"
    alone.mkdir(parents=True)
    source = Path(library.__file__).parent
    shutil.copy(source / "library.py", alone)
    shutil.copy(source.parent / "errors.py", alone.parent)
    for package in (alone, alone.parent):
        (package / "__init__.py").touch()
    result = subprocess.run(
        [sys.executable, "-c", "import fastload.native.library"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "ImportError: fastload's native library cannot be loaded from" in result.stderr
    assert "make native" in result.stderr
