"""The optional engines: whether they are there and can be imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module, metadata
from importlib.util import find_spec

from fastload.doctor.finding import Finding, good, lack, note
from fastload.errors import EngineError

__all__ = ["look_at_engines"]


def look_at_engines() -> Iterator[Finding]:
    """DALI and FFCV."""
    yield _engine(
        "DALI",
        "nvidia.dali",
        ("nvidia-dali-cuda130", "nvidia-dali-cuda120"),
        'pip install "fastload[dali]" (it runs on the CPU, too)',
        lambda: import_module("fastload.engines.dali.engine"),
    )
    yield _engine(
        "FFCV",
        "ffcv",
        ("ffcv",),
        "apt-get install g++ pkg-config libopencv-dev libturbojpeg0-dev, then "
        'pip install "fastload[ffcv]" (it is built from source)',
        lambda: import_module("fastload.engines.ffcv.installed").require_ffcv(),
    )


def _engine(
    name: str,
    package: str,
    distributions: tuple[str, ...],
    install: str,
    load: Callable[[], object],
) -> Finding:
    if not _is_there(package):
        return note(name, f'not installed; only engine="{name.lower()}" needs it', install)
    try:
        load()
    except (EngineError, ImportError, OSError) as error:
        cause = error.__cause__ or error
        return lack(name, f"installed, but it does not load: {cause}", install)
    return good(name, f'{_version(distributions)}: engine="{name.lower()}"')


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def _version(distributions: tuple[str, ...]) -> str:
    for name in distributions:
        try:
            return f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    return "of unknown version"
