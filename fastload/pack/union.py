"""A pack's records and those that are appended, in one listing: that of both folders in one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from fastload.pack.journal import ROW
from fastload.pack.scan import EXTENSIONS, Listing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from fastload.store.pack import Pack

__all__ = ["free_names", "is_renaming", "union"]

# The second image of a path is number two.
_FIRST_NUMBER = 2


def free_names(paths: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Names for images whose paths belong to others: with ``~2`` before the extension, or ``~3``.

    Args:
        paths: the paths, in order.
        taken: all paths that there are.

    Returns:
        Of each path its new name.

    >>> free_names(["cat/1.jpg"], {"cat/1.jpg", "cat/1~2.jpg"})
    {'cat/1.jpg': 'cat/1~3.jpg'}
    """
    names: dict[str, str] = {}
    given = set(taken)
    for path in paths:
        stem, extension = _split(path)
        number = _FIRST_NUMBER
        while f"{stem}~{number}{extension}" in given:
            number += 1
        names[path] = f"{stem}~{number}{extension}"
        given.add(names[path])
    return names


def is_renaming(name: str, path: str) -> bool:
    """Whether a name is one that :func:`free_names` gives an image of this path.

    >>> is_renaming("cat/1~2.jpg", "cat/1.jpg"), is_renaming("cat/1.jpg", "cat/1.jpg")
    (True, False)
    """
    stem, extension = _split(path)
    number = name.removeprefix(f"{stem}~").removesuffix(extension)
    return name == f"{stem}~{number}{extension}" and bool(re.fullmatch("[2-9]|[1-9][0-9]+", number))


def _split(path: str) -> tuple[str, str]:
    """The path before its extension, and the extension, by which it stays an image's name."""
    lower = path.lower()
    extension = next((end for end in EXTENSIONS if lower.endswith(end)), "")
    stem = path[: len(path) - len(extension)]
    return stem, path[len(stem) :]


def union(
    pack: Pack, added: Listing, rows: NDArray[np.void], names: dict[str, str]
) -> tuple[Listing, NDArray[np.void]]:
    """List a pack's records and the new ones together.

    Args:
        pack: that is appended to.
        added: the listing of the new images, with the pack's labels.
        rows: (added,) of dtype :data:`fastload.pack.journal.ROW`, whose sources are places in it.
        names: the names of new images whose paths are taken.

    Returns:
        The listing of all records, without sizes and times, and their rows: (records,) in the
        order of their ids, whose sources are places in that listing.
    """
    places = rows["source"].tolist()
    new = [names.get(added.paths[place], added.paths[place]) for place in places]
    paths = pack.index.paths(range(len(pack))) + new
    labels = np.concatenate([pack.index.label, added.labels[rows["source"]]])
    order = _in_order_of_listing(labels.tolist(), paths)
    together = np.concatenate([_rows(pack), rows])
    together["source"][order] = np.arange(len(order))
    nothing = np.zeros(len(order), np.int64)
    listed = [paths[record] for record in order]
    return Listing(added.root, added.classes, listed, labels[order], nothing, nothing), together


def _in_order_of_listing(labels: list[int], paths: list[str]) -> list[int]:
    """Records by class, then by folder, then by name: as :mod:`fastload.pack.scan` lists files."""

    def place(record: int) -> tuple[int, str, str]:
        folder, _, name = paths[record].rpartition("/")
        return labels[record], folder, name

    return sorted(range(len(paths)), key=place)


def _rows(pack: Pack) -> NDArray[np.void]:
    """What the index says of the records; their PSNR is not known one by one."""
    rows = np.zeros(len(pack), ROW)
    rows["psnr"] = np.nan
    for name in set(ROW.names or ()) - {"source", "psnr"}:
        rows[name] = getattr(pack.index, name)
    return rows
