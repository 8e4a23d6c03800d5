"""Sentences on a terminal, broken between words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.cells import cell_len
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["tell"]


def tell(sentence: str) -> None:
    """Print a sentence: one line in a file, lines of whole words on a terminal."""
    console = Console()
    for line in _lines(sentence, console.width) if console.is_terminal else [sentence]:
        click.echo(line)


def _lines(sentence: str, width: int) -> Iterator[str]:
    """Lines of at most so many columns; a longer word, such as a path, stays in one piece.

    >>> list(_lines("창틀 is one, and so is a/long/path", 8))
    ['창틀 is', 'one, and', 'so is', 'a/long/path']
    """
    line = ""
    for word in sentence.split(" "):
        longer = f"{line} {word}" if line else word
        if line and cell_len(longer) > width:
            yield line
            longer = word
        line = longer
    yield line
