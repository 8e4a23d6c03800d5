"""The table of answers: a row an image, with its id and its class."""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from train_ref.errors import TrainError
from train_ref.run_folder import write_whole

__all__ = ["ID_FORMS", "Rows", "read_sample", "rows_of", "table", "write_table"]

ID_FORMS = ("path", "name", "stem")
"""What an image is called: its path below the folder, its file's name, or that without ending."""

_COLUMNS = ("id", "label")
_TO_QUOTE = frozenset(',"\r\n')
_SHOWN = 3  # names of a kind that an error lists


@dataclass(frozen=True)
class Rows:
    """Which image each row is of.

    Attributes:
        columns: names of the id's column and of the label's.
        ids: of the rows, as they are written.
        images: int64, shape (rows,): place of each row's image among the images.
    """

    columns: tuple[str, str]
    ids: tuple[str, ...]
    images: npt.NDArray[np.int64]


def read_sample(path: Path) -> tuple[tuple[str, str], tuple[str, ...]]:
    """Read a sample submission: a CSV file with a header, ids in its first column of two.

    Returns:
        The names of the two columns, and the ids in their order.

    Raises:
        TrainError: it cannot be read, has other columns, or an id twice.
    """
    try:
        # Spreadsheets put a byte order mark in front, which would be part of the first name.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            header, *rows = [row for row in csv.reader(file) if row]
    except (OSError, csv.Error) as error:
        raise TrainError(f"{path} cannot be read as CSV: {error}") from error
    except ValueError as error:
        raise TrainError(f"{path} is empty; its first row names the columns.") from error
    if len(header) != len(_COLUMNS):
        raise TrainError(
            f"{path} has the columns {', '.join(header)}; a submission has two, the image's id "
            "and its label."
        )
    ids = tuple(row[0] for row in rows)
    twice = _repeated(map(_composed, ids))
    if twice:
        raise TrainError(f"{path} has ids more than once: {_listed(twice)}.")
    return (header[0], header[1]), ids


def rows_of(paths: Sequence[str], form: str | None = None, sample: Path | None = None) -> Rows:
    """Choose what images are called and the order of their rows.

    Args:
        paths: of the images below their folder, in their order.
        form: one of `ID_FORMS`. Left out, it is the first of them that fits the sample, and the
            path without a sample.
        sample: CSV file whose columns, ids and order are taken. Ids are compared in NFC, since
            some archives decompose letters of file names, and are written as they are here.

    Raises:
        TrainError: two images have one id, or the sample is of other images.

    Example:
        >>> rows_of(["a/2.png", "b/1.png"], "stem").ids
        ('2', '1')
    """
    if sample is None:
        ids = _called(paths, form or ID_FORMS[0])
        _refuse_repeated(ids, form or ID_FORMS[0])
        return Rows(_COLUMNS, ids, np.arange(len(ids), dtype=np.int64))
    columns, wanted = read_sample(sample)
    form = form or _best_form(paths, wanted)
    ids = _called(paths, form)
    _refuse_repeated(ids, form)
    images = {_composed(one): place for place, one in enumerate(ids)}
    _refuse_others(images, wanted, sample, form)
    places = np.array([images[_composed(one)] for one in wanted], np.int64)
    return Rows(columns, wanted, places)


def table(
    rows: Rows,
    classes: Sequence[str],
    probabilities: npt.NDArray[np.float32],
    *,
    with_probabilities: bool = False,
) -> str:
    """Make the table, CSV as RFC 4180 has it but for its line ends.

    Args:
        rows: what each row is of.
        classes: names, in the order of the probabilities; written in NFC.
        probabilities: float32, shape (images, classes).
        with_probabilities: a column a class behind the label, with six digits.

    Example:
        >>> rows = rows_of(["1.png"])
        >>> print(table(rows, ["crack, wide", "dent"], np.array([[0.7, 0.3]], np.float32)), end="")
        id,label
        1.png,"crack, wide"
    """
    names = [_composed(name) for name in classes]
    chosen = probabilities[rows.images]
    lines = [_line([*rows.columns, *(names if with_probabilities else [])])]
    for one, label, shares in zip(rows.ids, chosen.argmax(axis=1), chosen, strict=True):
        numbers = [f"{share:.6f}" for share in shares] if with_probabilities else []
        lines.append(_line([one, names[label], *numbers]))
    return "".join(lines)


def write_table(path: Path, text: str) -> None:
    """Write the table in UTF-8, whole or not at all.

    Names of files that are no UTF-8 get their bytes back.

    Raises:
        TrainError: it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise TrainError(f"{path} cannot be written: {error}") from error


def _line(cells: Iterable[str]) -> str:
    # csv.writer does not quote a carriage return where lines end without one.
    quoted = (
        '"' + cell.replace('"', '""') + '"' if _TO_QUOTE.intersection(cell) else cell
        for cell in cells
    )
    return ",".join(quoted) + "\n"


def _called(paths: Iterable[str], form: str) -> tuple[str, ...]:
    if form == "path":
        return tuple(paths)
    files = map(PurePosixPath, paths)
    return tuple(file.stem if form == "stem" else file.name for file in files)


def _best_form(paths: Sequence[str], wanted: Sequence[str]) -> str:
    """The form in which most ids are those that are wanted; of equals the first."""
    asked = set(map(_composed, wanted))
    found = {form: len(asked & set(map(_composed, _called(paths, form)))) for form in ID_FORMS}
    return max(ID_FORMS, key=found.__getitem__)


def _refuse_repeated(ids: Iterable[str], form: str) -> None:
    twice = _repeated(map(_composed, ids))
    if twice:
        raise TrainError(
            f"Several images have the same {form}: {_listed(twice)}. Give --id path, or one of "
            "the images another name."
        )


def _refuse_others(images: Iterable[str], wanted: Iterable[str], sample: Path, form: str) -> None:
    here, there = set(images), set(map(_composed, wanted))
    if there - here:
        raise TrainError(
            f"{sample} wants {len(there - here)} ids that no image has as its {form}: "
            f"{_listed(there - here)}. Give --data all images of it; those that cannot be read "
            "are in the pack's rejected.csv."
        )
    if here - there:
        raise TrainError(
            f"{sample} lacks {len(here - there)} of the images: {_listed(here - there)}. Give "
            "--data its images alone, or leave --sample-submission out."
        )


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _listed(names: Iterable[str]) -> str:
    first = sorted(names)
    more = len(first) - _SHOWN
    return ", ".join(map(repr, first[:_SHOWN])) + (f" and {more} more" if more > 0 else "")
