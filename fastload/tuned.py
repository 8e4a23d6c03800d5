"""Settings that ``fastload tune`` found, kept for this host, and taken by ``tuned=True``.

Each choice is a small JSON file under ``$XDG_CACHE_HOME/fastload/tuned`` (``~/.cache`` by default),
named after what it was found for: the host, the packs by their content, and the transform.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import shlex
import warnings
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastload.cpus import local_ranks, usable_cpus
from fastload.engines import DECODES, ENGINES
from fastload.explanation import named_transforms
from fastload.measure.machine import this_machine
from fastload.store.durable import write_file
from fastload.view import View, view_of
from fastload.words import name_words

__all__ = ["TunedSettings", "filled", "find_tuned", "home", "save_tuned"]

_VERSION = 1
_DIGITS = 16
_MOST = 4096
_LOGGER = logging.getLogger("fastload")


@dataclass(frozen=True)
class TunedSettings:
    """Arguments of the loader; the defaults are the loader's own.

    Attributes:
        num_workers: threads.
        prefetch_factor: batches ahead.
        pin_memory: whether batches are page-locked.
        cache: "auto", or 0 for none.
        decode: "exact" or "fast".
        engine: "auto", or an engine's name.
    """

    num_workers: int | None = None
    prefetch_factor: int | None = None
    pin_memory: bool = False
    cache: str | int | None = "auto"
    decode: str = "exact"
    engine: str = "auto"

    def over(self, found: TunedSettings) -> TunedSettings:
        """These settings, with what was found in place of those that are at their defaults.

        >>> TunedSettings(num_workers=4).over(TunedSettings(2, 8))
        TunedSettings(num_workers=4, prefetch_factor=8, pin_memory=False, cache='auto', \
decode='exact', engine='auto')
        """
        given = asdict(self)
        left = [field.name for field in fields(self) if given[field.name] == field.default]
        return TunedSettings(**{**given, **{name: getattr(found, name) for name in left}})


def home() -> Path:
    """The folder of what the tuner found."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "fastload" / "tuned"


def _key(view: View, cpus: int) -> dict[str, Any]:
    """What a choice is found for: parts of a pack share the pack's."""
    machine = this_machine()
    return {
        "host": [platform.node(), machine.processor, cpus],
        "packs": sorted({part.pack.manifest.index.sha256 for part in view.parts}),
        "transforms": sorted({"; ".join(named_transforms(part.pipeline)) for part in view.parts}),
    }


def _file(key: dict[str, Any]) -> Path:
    digest = sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return home() / f"{digest[:_DIGITS]}.json"


def save_tuned(dataset: Any, settings: TunedSettings, cpus: int) -> Path:
    """Keep a choice, in place of an earlier one, and return its file.

    Args:
        dataset: made of packs.
        settings: what was found.
        cpus: that a training process has here.

    Raises:
        ValueError: the dataset is not made of packs.
        OSError: the file cannot be written.
    """
    key = _key(_checked_view(dataset), cpus)
    file = _file(key)
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"version": _VERSION, "key": key, "settings": asdict(settings)}
    write_file(file, json.dumps(content, indent=1).encode())
    return file


def find_tuned(dataset: Any) -> TunedSettings | None:
    """The choice for this host and a dataset's packs and transform; None where there is none.

    Raises:
        ValueError: the dataset is not made of packs.
    """
    cpus = max(1, usable_cpus() // local_ranks())
    file = _file(_key(_checked_view(dataset), cpus))
    try:
        return _checked(json.loads(file.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        warnings.warn(
            f"{file} cannot be read ({error}): the loader's defaults are taken. Run "
            "`fastload tune` again.",
            stacklevel=4,
        )
        return None


def filled(dataset: Any, given: TunedSettings, tuned: bool) -> TunedSettings:
    """What a loader takes; what is not its caller's own is told in the log.

    Args:
        dataset: the loader's.
        given: its arguments.
        tuned: whether what was found for it takes the place of those at their defaults.

    Raises:
        ValueError: that is asked for, and the dataset is not made of packs.
    """
    if not tuned:
        return given
    view = _checked_view(dataset)
    found = find_tuned(dataset)
    if found is None:
        pack = shlex.quote(name_words(str(view.parts[0].root)))
        warnings.warn(
            f"Nothing is tuned for {pack} with this transform on this host, so the defaults are "
            f"taken: run `fastload tune {pack} --transform PROGRAM:NAME` with the loader's "
            "transform.",
            stacklevel=3,
        )
        return given
    taken = given.over(found)
    words = ", ".join(f"{name}={value!r}" for name, value in asdict(taken).items())
    _LOGGER.info("tuned: %s", words)
    return taken


def _checked_view(dataset: Any) -> View:
    view = view_of(dataset)
    if view is None:
        raise ValueError(
            f"tuned=True needs a dataset made of packs, this one is {type(dataset).__name__}: pack "
            "the folder, or paste what `fastload tune` prints for it."
        )
    return view


def _checked(content: Any) -> TunedSettings:
    """The settings of a file.

    Raises:
        ValueError, KeyError, TypeError: it is none of ours, or something is out of range.
    """
    if content["version"] != _VERSION:
        raise ValueError(f"version {content['version']!r} instead of {_VERSION}")
    raw = content["settings"]
    right = (
        _is_count(raw["num_workers"])
        and _is_count(raw["prefetch_factor"])
        and isinstance(raw["pin_memory"], bool)
        and raw["cache"] in ("auto", 0)
        and raw["decode"] in DECODES
        and raw["engine"] in ("auto", *ENGINES)
    )
    if not right:
        raise ValueError(f"{raw} is out of range")
    return TunedSettings(**raw)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST
