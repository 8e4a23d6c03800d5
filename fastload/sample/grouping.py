"""Which images of a pack are kept together in a split."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastload.duplicates import near_duplicate_groups
from fastload.errors import FastloadError
from fastload.sample.group_table import Numbers

if TYPE_CHECKING:
    from fastload.store import Pack

__all__ = ["NEAR_DUPLICATES", "NONE", "Grouping", "grouping_of"]

NEAR_DUPLICATES = "near-duplicates"
NONE = "none"
_PATTERN = "path:"
_PATH_COLUMN = "path"
# Paths that a message names; they show what kind of paths is meant.
_NAMED = 3


@dataclass(frozen=True)
class Grouping:
    """Groups of records, and the rule they were made by.

    Attributes:
        rule: in the words of ``fastload split --group``.
        of_record: int64, shape (N,): equal for the records of one group.
    """

    rule: str
    of_record: Numbers


def grouping_of(pack: Pack, rule: str) -> Grouping:
    r"""Group the records of a pack.

    Args:
        pack: the pack.
        rule: ``"near-duplicates"``; ``"none"``; ``"FILE.csv:COLUMN"``, a CSV file with the columns
            ``path`` (below the label folder, as ``cat/1.jpg``) and COLUMN, whose values are the
            groups; or ``"path:PATTERN"``, a regular expression searched for in each path, whose
            group 1 (the whole match where it has none) is the group: ``path:^[^/]+/(.+)/`` for
            the folders below those of the classes.

    Raises:
        ValueError: there is no such rule, or the pattern is none.
        FileNotFoundError: there is no such CSV file.
        FastloadError: images have no group, or two; they are named.
    """
    if rule == NONE:
        return Grouping(rule, np.arange(len(pack)))
    if rule == NEAR_DUPLICATES:
        return Grouping(rule, near_duplicate_groups(pack))
    if rule.startswith(_PATTERN):
        return Grouping(rule, _numbered(_matches(pack, rule.removeprefix(_PATTERN))))
    file, colon, column = rule.rpartition(":")
    if not (colon and file and column):
        raise ValueError(
            f"--group is {rule!r}: choose {NEAR_DUPLICATES}, {NONE}, FILE.csv:COLUMN, or "
            f"{_PATTERN}PATTERN."
        )
    # Without the folder, so that the same file elsewhere makes the same split.
    name = f"{Path(file).name}:{column}"
    return Grouping(name, _numbered(_values(pack, Path(file), column)))


def _numbered(values: list[str]) -> Numbers:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)


def _matches(pack: Pack, pattern: str) -> list[str]:
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise ValueError(
            f"--group {_PATTERN}{pattern}: not a regular expression ({error})."
        ) from error
    paths = pack.index.paths(range(len(pack)))
    found = [search(path) for path in paths]
    values = [match and match[1 if match.re.groups else 0] for match in found]
    missing = [path for path, value in zip(paths, values, strict=True) if value is None]
    if missing:
        raise FastloadError(
            f"The pattern {pattern!r} is not found in {_named(missing, len(paths))}. Every image "
            "needs a group: widen the pattern, or give the groups as FILE.csv:COLUMN."
        )
    return [value for value in values if value is not None]


def _values(pack: Pack, file: Path, column: str) -> list[str]:
    values = _read_column(file, column)
    paths = pack.index.paths(range(len(pack)))
    missing = [path for path in paths if not values.get(path)]
    if missing:
        raise FastloadError(
            f"{file} has no {column} for {_named(missing, len(paths))}. Every image needs one: add "
            f"rows whose {_PATH_COLUMN} is the path below the label folder, as it is written here."
        )
    return [values[path] for path in paths]


def _read_column(file: Path, column: str) -> dict[str, str]:
    if not file.is_file():
        raise FileNotFoundError(f"No table at {file}: there is no such file.")
    # The signature that spreadsheet programs put in front of UTF-8 is no part of the first name.
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as opened:
        rows = csv.reader(opened)
        header = next(rows, [])
        if _PATH_COLUMN not in header or column not in header:
            raise FastloadError(
                f"{file} has the columns {', '.join(header) or '(none)'}; it needs "
                f"{_PATH_COLUMN} and {column}."
            )
        return _unambiguous(
            file, rows, header.index(_PATH_COLUMN), header.index(column), len(header)
        )


def _unambiguous(
    file: Path, rows: Iterable[list[str]], at_path: int, at_value: int, columns: int
) -> dict[str, str]:
    values: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        if not row:
            continue
        if len(row) != columns:
            raise FastloadError(f"{file}, row {number}: {len(row)} columns instead of {columns}.")
        path, value = row[at_path], row[at_value]
        if values.setdefault(path, value) != value:
            raise FastloadError(
                f"{file}, row {number}: {path} is in the groups {values[path]} and {value}. "
                "Give each path once."
            )
    return values


def _named(paths: list[str], of: int) -> str:
    more = len(paths) - _NAMED
    shown = ", ".join(paths[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return f"{len(paths):,} of {of:,} images ({shown})"
