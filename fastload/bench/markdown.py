"""Result documents as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastload.bench.columns import LEGEND, columns_of, facts, name_of, notes_of, ordered, run_facts
from fastload.bench.results import Document, Failure, Result
from fastload.words import name_words

__all__ = ["escaped", "report", "table"]

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&#$])")


def escaped(text: str) -> str:
    r"""Text that Markdown shows as it is, on one line.

    >>> print(escaped("a|b_c\n<i>"))
    a\|b\_c\\n\<i\>
    """
    return _SPECIAL.sub(r"\\\1", name_words(text))


def table(heads: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; its texts are Markdown already.

    >>> print(table(["name", "size"], [False, True], [["a", "1"]]))
    | name | size |
    |---|---:|
    | a | 1 |
    """
    rule = "|".join("---:" if number else "---" for number in numeric)
    lines = [_row(heads), f"|{rule}|", *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def report(document: Document) -> str:
    """All of a document: what it is of, then a table a suite."""
    parts = [
        "# Benchmarks",
        "\n".join(f"- {escaped(fact)}" for fact in [*run_facts(document), *notes_of(document)]),
        *(
            _suite(document, suite, results, [one for one in document.failed if one.suite == suite])
            for suite, results in document.suites.items()
        ),
        LEGEND,
    ]
    return "\n\n".join(parts) + "\n"


def _suite(
    document: Document, suite: str, results: Sequence[Result], failed: Sequence[Failure]
) -> str:
    parts = [f"## {escaped(suite)}"]
    if results:
        said = "; ".join(facts(results, document.photos))
        parts += [f"{escaped(said)}." if said else "", _table(results)]
    if failed:
        parts.append(
            "\n".join(f"- {escaped(one.label)} failed: {escaped(one.error)}" for one in failed)
        )
    return "\n\n".join(filter(None, parts))


def _table(results: Sequence[Result]) -> str:
    columns = columns_of(results)
    rows = []
    for result in ordered(results):
        cells = [column.cell(result) for column in columns]
        name = escaped(name_of(result))
        first = f"**{name}**" if result.ours else name
        rows.append([first, *("" if cell is None else escaped(cell.text) for cell in cells)])
    heads = ["", *(escaped(column.head) for column in columns)]
    return table(heads, [False, *(column.numeric for column in columns)], rows)
