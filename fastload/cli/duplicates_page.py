"""Groups of duplicates as one HTML page that needs nothing beside it: thumbnails are in it."""

from __future__ import annotations

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from fastload.duplicates import relations
from fastload.native.library import NativeError
from fastload.pages import render
from fastload.store.decoding import decode_record
from fastload.words import name_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fastload.duplicates import Group
    from fastload.store import Pack

__all__ = ["MOST_THUMBNAILS", "write_page"]

MOST_THUMBNAILS = 1000
"""On a page: some 10 MB, which browsers of any age and size show."""

_MOST_OF_A_GROUP = 24
# Twice the size at which they are shown at least, for screens of fine pixels.
_SIDE = 240
_QUALITY = 75


@dataclass(frozen=True)
class _Member:
    record: int
    path: str
    class_name: str | None
    relation: str
    picture: str


@dataclass(frozen=True)
class _ShownGroup:
    images: int
    classes: int
    members: list[_Member]


def write_page(
    file: Path, pack: Pack, groups: Sequence[Group], same_bytes: NDArray[np.int64], workers: int
) -> int:
    """Write the groups, in their order, as far as there is room for them; how many there was.

    Args:
        file: the page, written over if it is there.
        pack: the pack they are of.
        groups: two or more records each.
        same_bytes: (N,) what ``exact_duplicate_groups`` gave.
        workers: threads that make thumbnails.

    Raises:
        OSError: the page cannot be written.
        PackError: an image of it is damaged.
    """
    with ThreadPoolExecutor(workers, "fastload-thumbnails") as executor:
        shown = [_shown_group(pack, group, same_bytes, executor) for group in _first(groups)]
    page = render(
        "fastload.cli",
        "duplicates.html",
        title=f"Duplicates of {name_words(pack.root.name or str(pack.root))}",
        grouped=sum(map(len, groups)),
        records=len(pack),
        groups=len(groups),
        spanning=sum(group.spans_classes for group in groups),
        shown=shown,
    )
    file.write_text(page, encoding="utf-8")
    return len(shown)


def _first(groups: Sequence[Group]) -> Sequence[Group]:
    room = MOST_THUMBNAILS
    for number, group in enumerate(groups):
        room -= min(len(group), _MOST_OF_A_GROUP)
        if room < 0:
            return groups[:number]
    return groups


def _shown_group(
    pack: Pack, group: Group, same_bytes: NDArray[np.int64], executor: ThreadPoolExecutor
) -> _ShownGroup:
    kept = group.records[:_MOST_OF_A_GROUP]
    pictures = executor.map(lambda record: _thumbnail(pack, record), kept)
    words = relations(pack, kept, same_bytes)
    members = [
        _Member(record, pack.index.path(record), pack.class_name(record), relation, picture)
        for record, relation, picture in zip(kept, words, pictures, strict=True)
    ]
    return _ShownGroup(len(group), len(set(group.labels)), members)


def _thumbnail(pack: Pack, record: int) -> str:
    """A small JPEG of a record as a data URI."""
    try:
        image = decode_record(pack, record)
    except (NativeError, OSError, SyntaxError, ValueError) as error:
        raise pack.damaged(record, str(error)) from error
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
