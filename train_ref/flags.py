"""Flags of the command line, made of the settings: each has its name, type, default and help."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import click

from train_ref.config import CHOICES, Config, flag_of, load_yaml

__all__ = ["config_of", "names_in", "settings_flags"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def settings_flags(command: _Command) -> _Command:
    """Give a click command a flag for each field of Config; those not given are None."""
    hints = get_type_hints(Config)
    for field in reversed(fields(Config)):
        command = click.option(*_names(field), **_form(field, str(hints[field.name])))(command)
    return command


def _names(field: Field[Any]) -> list[str]:
    flag = flag_of(field.name)
    # `no_` of a field is not the other half of a pair.
    return [f"{flag}/{flag_of(f'no_{field.name}')}" if _is_switch(field) else flag, field.name]


def _is_switch(field: Field[Any]) -> bool:
    return isinstance(field.default, bool)


def _form(field: Field[Any], hint: str) -> dict[str, Any]:
    form: dict[str, Any] = {"default": None, "help": _help(field)}
    if _is_switch(field):
        return form
    if field.name in CHOICES:
        return {**form, "type": click.Choice(CHOICES[field.name])}
    if "tuple" in hint:
        return {**form, "callback": lambda _ctx, _param, text: names_in(text), "metavar": "A,B"}
    for name, kind in (("int", click.INT), ("float", click.FLOAT)):
        if name in hint:
            return {**form, "type": kind}
    return form


def _help(field: Field[Any]) -> str:
    about = str(field.metadata["about"])
    if field.default in (None, "", ()):
        return f"{about}."
    if _is_switch(field):
        shown = flag_of(field.name if field.default else f"no_{field.name}")
    else:
        shown = str(field.default)
    return f"{about}.  [{shown}]"


def names_in(text: str | None) -> tuple[str, ...] | None:
    r"""Take names apart at commas; one that has a comma stands in quotes or has a backslash there.

    Example:
        >>> names_in('a, "b,c"') == names_in(r"a,b\,c") == ("a", "b,c")
        True
    """
    if text is None:
        return None
    rows = list(csv.reader([text], skipinitialspace=True, escapechar="\\"))
    return tuple(name.strip() for name in rows[0] if name.strip()) if rows else ()


def config_of(file: Path | None, flags: dict[str, Any]) -> Config:
    """Put settings together: flags, below them a YAML file, below that the defaults.

    Args:
        file: YAML.
        flags: by name of the field; None where one was not given.

    Raises:
        TrainError: the file cannot be read, or a value is none of its setting's.
    """
    below = {} if file is None else load_yaml(file)
    given = {name: value for name, value in flags.items() if value is not None}
    return Config(**(below | given))
