"""The optional engines: whether they are there, load, and suit the GPU's driver."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from fastload.doctor.asking import cause_of_failure
from fastload.doctor.finding import Finding, State, good, lack, note
from fastload.doctor.graphics import DRIVER

__all__ = ["look_at_engines"]

_GET_DALI = 'pip install "fastload[dali]" (it runs on the CPU, too)'
_GET_FFCV = (
    "apt-get install g++ pkg-config libopencv-dev libturbojpeg0-dev, then "
    'pip install "fastload[ffcv]" (it is built from source)'
)
# The oldest driver on Linux of the CUDA series that a wheel of DALI is built for:
# docs.nvidia.com/deploy/cuda-compatibility.
_DALI_WHEELS = {"nvidia-dali-cuda130": 580, "nvidia-dali-cuda120": 525}
_DRIVER_SERIES = re.compile(r"Kernel Module .*?(\d+)\.\d+")

# The engines' errors say how to install them, as the remedies do: what they say in the end counts.
_LOADING = """
from fastload.errors import EngineError
try:
    {}
except EngineError as error:
    raise error.__cause__
"""
_LOAD_DALI = _LOADING.format("import fastload.engines.dali.engine")
_LOAD_FFCV = _LOADING.format(
    "from fastload.engines.ffcv.installed import require_ffcv; require_ffcv()"
)


def look_at_engines(driver: Path = DRIVER) -> Iterator[Finding]:
    """DALI and FFCV."""
    dali = _engine("DALI", "nvidia.dali", tuple(_DALI_WHEELS), _GET_DALI, _LOAD_DALI)
    yield dali
    if dali.state is State.GOOD:
        yield from _dali_on_gpu(driver)
    yield _engine("FFCV", "ffcv", ("ffcv",), _GET_FFCV, _LOAD_FFCV)


def _engine(
    name: str, package: str, distributions: tuple[str, ...], install: str, loading: str
) -> Finding:
    if not _is_there(package):
        return note(name, f'not installed; only engine="{name.lower()}" needs it', install)
    cause = cause_of_failure(loading)
    if cause is not None:
        return lack(name, f"installed, but it does not load: {cause}", install)
    found = _found(distributions)
    return good(name, f'{" ".join(found or ("of unknown version",))}: engine="{name.lower()}"')


def _dali_on_gpu(driver: Path) -> Iterator[Finding]:
    """Nothing without a driver, as DALI runs on the CPU then."""
    found = _found(tuple(_DALI_WHEELS))
    series = _DRIVER_SERIES.search(driver.read_text()) if driver.is_file() else None
    if found is None or series is None:
        return
    oldest = _DALI_WHEELS[found[0]]
    if int(series[1]) < oldest:
        yield lack(
            "DALI on the GPU",
            f"{found[0]} needs driver {oldest} or newer, this machine's is of series {series[1]}",
            "update the driver, or install DALI for an older CUDA; on the CPU this one runs",
        )


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def _found(distributions: tuple[str, ...]) -> tuple[str, str] | None:
    """The first that is installed, with its version."""
    for name in distributions:
        try:
            return name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None
