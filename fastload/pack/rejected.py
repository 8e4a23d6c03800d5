"""``rejected.csv``: the files of the source that are not in the pack, and why."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from fastload.errors import PackError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fastload.store.manifest import Source

__all__ = ["REJECTED_NAME", "read_rejected", "rejected_csv"]

REJECTED_NAME = "rejected.csv"

_HEADER = ("path", "reason")


def rejected_csv(rows: Sequence[tuple[str, str]]) -> bytes:
    r"""The file's bytes.

    Args:
        rows: (path, reason) of each file, in order; paths keep the bytes they have on disk.

    >>> rejected_csv([("cat/a.jpg", "the file is empty")])
    b'path,reason\ncat/a.jpg,the file is empty\n'
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def read_rejected(root: Path, source: Source) -> list[tuple[str, str]]:
    """The rows of a pack's file.

    Rows beyond the declared number are of an append that did not come to its end.

    Args:
        root: the pack's folder.
        source: of its manifest.

    Raises:
        PackError: the file is missing or is not such a file.
    """
    path = root / REJECTED_NAME
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError as error:
        raise PackError(
            f"{path}: the file is missing. Restore it from a copy, or pack the label folder again."
        ) from error
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if not rows or tuple(rows[0]) != _HEADER or any(len(row) != len(_HEADER) for row in rows):
        raise PackError(
            f"{path}: it does not list paths and reasons. Restore it from a copy, or pack the "
            "label folder again."
        )
    return [(path, reason) for path, reason in rows[1 : 1 + source.rejected_in_all]]
