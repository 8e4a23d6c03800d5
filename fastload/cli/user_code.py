"""What a user names in a program of theirs: ``train.py:transform``."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import click

from fastload.presets import PRESETS, preset

__all__ = ["named_in_program", "transform_named"]


def named_in_program(text: str) -> Any:
    """The object that ``program.py:name`` names; the program is run as a module, not as main.

    Raises:
        click.ClickException: there is no such program or name, or running it failed.
    """
    place, colon, name = text.rpartition(":")
    if not colon or not name.isidentifier():
        raise click.ClickException(f"{text}: give a program and a name in it, as train.py:step.")
    file = Path(place)
    if not file.is_file():
        raise click.ClickException(f"{place}: there is no such program.")
    spec = spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise click.ClickException(f"{place}: it does not end in .py.")
    module = module_from_spec(spec)
    # Its neighbours can be imported as if it were run, and workers that are spawned find it.
    sys.path.insert(0, str(file.resolve().parent))
    sys.modules.setdefault(file.stem, module)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise click.ClickException(f"{place}: {type(error).__name__}: {error}") from error
    if not hasattr(module, name):
        raise click.ClickException(f"{place} has no {name!r}.")
    return getattr(module, name)


def transform_named(text: str) -> Any:
    """A transform: a preset's name, or ``program.py:name``.

    Raises:
        click.ClickException: it is neither.
    """
    if text in PRESETS:
        return preset(text)
    if ":" not in text:
        raise click.ClickException(
            f"{text}: neither a preset ({', '.join(PRESETS)}) nor a program and a name in it, "
            "as train.py:transform."
        )
    return named_in_program(text)
