"""Result documents as one HTML page: charts and tables that sort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from fastload.bench.columns import (
    LEGEND,
    best_of_each,
    columns_of,
    facts,
    name_of,
    note_of,
    notes_of,
    ordered,
    run_facts,
)
from fastload.bench.results import Document, Failure, Result
from fastload.pages import render
from fastload.pages.charts import Bar, Line, bars, lines

__all__ = ["page", "write_page"]

# Beyond this factor between the ends of an axis, equal factors are shown equally far apart.
_WIDE = 20
# Comparisons that stand on top of the page.
_TILES = 4


@dataclass(frozen=True)
class _Suite:
    """One section of the page."""

    id: str
    name: str
    facts: Sequence[str]
    chart: Markup | None
    caption: str
    heads: Sequence[tuple[str, bool]]
    rows: Sequence[_Row]
    failed: Sequence[Failure]


@dataclass(frozen=True)
class _Row:
    """A result: its name, whether it is ours, and (text, what it is sorted by) of each column."""

    name: str
    ours: bool
    cells: Sequence[tuple[str, float | None, bool]]


@dataclass(frozen=True)
class _Tile:
    """One comparison in large letters."""

    label: str
    figure: str
    below: str


def write_page(documents: Sequence[Document], file: Path) -> None:
    """Write the page of one document or several.

    Raises:
        OSError: it cannot be written.
    """
    file.write_text(page(documents), encoding="utf-8")


def page(documents: Sequence[Document]) -> str:
    """The page of one document or several, each under its own machine and time."""
    parts = []
    for number, document in enumerate(documents):
        suites = [
            _suite(document, f"suite-{number}-{place}", name, results)
            for place, (name, results) in enumerate(document.suites.items())
        ]
        facts_of_run = [*run_facts(document), *notes_of(document)]
        parts.append((Path(document.file).name, facts_of_run, _tiles(document), suites))
    several = len(documents) > 1
    sections = {
        suite.id: f"{name}: {suite.name}" if several else suite.name
        for name, _, _, suites in parts
        for suite in suites
    }
    return render(
        "fastload.bench",
        "bench.html",
        title="Benchmarks",
        subtitle=[
            document.machine.processor
            for document in {one.machine.processor: one for one in documents}.values()
        ],
        sections=sections if len(sections) > 1 else {},
        documents=parts,
        several=several,
        legend=LEGEND,
    )


def _suite(document: Document, identity: str, name: str, results: Sequence[Result]) -> _Suite:
    columns = columns_of(results)
    rows = []
    for result in ordered(results):
        cells = []
        for column in columns:
            cell = column.cell(result)
            text, value = ("", None) if cell is None else (cell.text, cell.value)
            # An empty field of numbers is sorted to the end.
            value = -1.0 if value is None and column.numeric else value
            cells.append((text, value, column.numeric))
        rows.append(_Row(name_of(result), result.ours, cells))
    chart, caption = _chart(name, results)
    return _Suite(
        id=identity,
        name=name,
        facts=facts(results, document.photos),
        chart=chart,
        caption=caption,
        heads=[(column.head, column.numeric) for column in columns],
        rows=rows,
        failed=[failure for failure in document.failed if failure.suite == name],
    )


def _chart(suite: str, results: Sequence[Result]) -> tuple[Markup | None, str]:
    """A suite's chart and what stands beneath."""
    if any(result.x is not None for result in results):
        return _lines(suite, [result for result in results if result.x is not None])
    best = best_of_each([result for result in results if not result.ceiling])
    if len(best) < 2:
        return None, ""
    drawn = bars(
        [
            Bar(
                name_of(result),
                result.rate,
                min(result.rates),
                max(result.rates),
                note_of(result, results),
                result.ours,
            )
            for result in best
        ],
        "images/s",
        suite,
    )
    return drawn, "Bar: median of the rounds. Line: from the slowest round to the fastest."


def _lines(suite: str, results: Sequence[Result]) -> tuple[Markup, str]:
    alone = len({(name_of(result), result.x) for result in results}) == len(results)
    points: dict[str, list[tuple[float, float]]] = {}
    for result in results:
        label = name_of(result) if alone else f"{name_of(result)}, {result.threads} threads"
        points.setdefault(label, []).append((result.x or 0.0, result.rate))
    drawn = lines(
        [Line(label, sorted(found)) for label, found in points.items()],
        results[0].x_name,
        "images/s",
        suite,
        log_x=_wide([result.x or 0.0 for result in results]),
        log_y=_wide([result.rate for result in results]),
    )
    return drawn, "Medians of the rounds."


def _wide(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) > _WIDE


def _tiles(document: Document) -> list[_Tile]:
    """Ours beside the fastest of the others, suite by suite."""
    tiles: list[_Tile] = []
    if document.smoke:
        return tiles
    for suite, results in document.suites.items():
        loaders = [result for result in results if result.task == "load" and result.x is None]
        ours = best_of_each([result for result in loaders if result.ours])
        others = best_of_each([result for result in loaders if not (result.ours or result.ceiling)])
        if ours and others and len(tiles) < _TILES:
            tiles.append(
                _Tile(
                    label=suite,
                    figure=f"{ours[0].rate / others[0].rate:.1f} times",
                    below=f"as fast as {name_of(others[0])}, the fastest other: "
                    f"{ours[0].rate:,.0f} images/s by {name_of(ours[0])}",
                )
            )
    return tiles
