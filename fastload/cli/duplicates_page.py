"""Groups of duplicates as one HTML page that needs nothing beside it: thumbnails are in it."""

from __future__ import annotations

import base64
import html
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from PIL import Image

from fastload.duplicates import relations
from fastload.native.library import NativeError
from fastload.store.decoding import decode_record
from fastload.words import name_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1a1a1a; --faint: #595959; --line: #d8d8d8;
  --warn: #a13a00; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #161616; --ink: #ececec; --faint: #a6a6a6; --line: #3a3a3a; --warn: #ff9f5a; }
}
body { margin: 0 auto; max-width: 75rem; padding: 1rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0 0 .6rem; }
h2 .warn { color: var(--warn); }
section { border-top: 1px solid var(--line); padding: 1rem 0; content-visibility: auto;
  contain-intrinsic-size: auto 16rem; }
ul { display: grid; gap: 1rem .8rem; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr));
  list-style: none; margin: 0; padding: 0; }
li { font-size: .85rem; min-width: 0; overflow-wrap: anywhere; }
img { display: block; height: 8rem; margin-bottom: .3rem; max-width: 100%; object-fit: contain;
  object-position: left; }
b { display: block; }
small, p { color: var(--faint); }
"""

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary}</p>
"""


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
    shown = _shown(groups)
    with (
        file.open("w", encoding="utf-8") as page,
        ThreadPoolExecutor(workers, "fastload-thumbnails") as executor,
    ):
        page.write(_head(pack, groups, len(shown)))
        for number, group in enumerate(shown, start=1):
            kept = group.records[:_MOST_OF_A_GROUP]
            pictures = executor.map(lambda record: _thumbnail(pack, record), kept)
            page.write(_section(pack, number, group, relations(pack, kept, same_bytes), pictures))
        page.write("</body>\n</html>\n")
    return len(shown)


def _shown(groups: Sequence[Group]) -> Sequence[Group]:
    room = MOST_THUMBNAILS
    for number, group in enumerate(groups):
        room -= min(len(group), _MOST_OF_A_GROUP)
        if room < 0:
            return groups[:number]
    return groups


def _head(pack: Pack, groups: Sequence[Group], shown: int) -> str:
    images = sum(map(len, groups))
    spanning = sum(group.spans_classes for group in groups)
    summary = f"{images:,} of {len(pack):,} images are in {len(groups):,} groups."
    if spanning:
        summary += (
            f" {spanning:,} of the groups span classes and come first: one of their labels is "
            "likely wrong."
        )
    if shown < len(groups):
        summary += (
            f" This page has room for the first {shown:,} groups; "
            "<code>fastload duplicates --csv</code> lists all of them."
        )
    title = html.escape(f"Duplicates of {name_words(pack.root.name or str(pack.root))}")
    return _HEAD.format(title=title, style=_STYLE, summary=summary)


def _section(
    pack: Pack, number: int, group: Group, words: Sequence[str], pictures: Iterator[str]
) -> str:
    classes = len(set(group.labels))
    spans = f' <span class="warn">in {classes:,} classes</span>' if group.spans_classes else ""
    items = [
        _item(pack, record, relation, picture)
        for record, relation, picture in zip(group.records, words, pictures, strict=False)
    ]
    rest = len(group) - len(items)
    more = f"<p>{rest:,} more</p>\n" if rest else ""
    heading = f"<h2>{number:,}: {len(group):,} images{spans}</h2>"
    return f"<section>\n{heading}\n<ul>\n{''.join(items)}</ul>\n{more}</section>\n"


def _item(pack: Pack, record: int, relation: str, picture: str) -> str:
    path = html.escape(name_words(pack.index.path(record)))
    name = html.escape(name_words(pack.class_name(record) or ""))
    head = f"<b>{name}</b>" if name else ""
    return (
        f'<li><img loading="lazy" alt="{path}" src="{picture}">{head}{relation}<br>'
        f"<small>{path}, record {record}</small></li>\n"
    )


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
