"""What tables say of a result, column by column, and what they say once for a whole suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from fastload.bench.results import Document, Photos, Result
from fastload.measure.spread import spread
from fastload.words import bytes_words, duration_words

__all__ = [
    "LEGEND",
    "Cell",
    "Column",
    "best_of_each",
    "columns_of",
    "facts",
    "name_of",
    "ordered",
    "run_facts",
]

LEGEND = (
    "Threads: or worker processes. images/s: the median of the rounds, lowest and highest in "
    "brackets; entrants took turns. Per core: images a second of CPU time, of all processes. CPU: "
    "100 % is one core kept busy. First batch: from before the loader's construction, imports not "
    "counted. Memory: the highest, beyond the import of torch, children included, pages of mapped "
    "files too; in brackets without these. On disk: what is read. Packed in: how long the "
    "entrant's own form of the images took to write."
)


@dataclass(frozen=True)
class Cell:
    """One field of a table: how it is written and what it is sorted by."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Column:
    """A column: its head, and its field of each result; None where a result has nothing to say."""

    head: str
    cell: Callable[[Result], Cell | None]
    numeric: bool = True


def _number(
    figure: Callable[[Result], float | None], words: Callable[[float], str]
) -> Callable[[Result], Cell | None]:
    def cell(result: Result) -> Cell | None:
        value = figure(result)
        return None if value is None else Cell(words(value), value)

    return cell


def _first_batch(result: Result) -> float | None:
    return median(result.first_batch_seconds) if result.first_batch_seconds else None


def _memory(result: Result) -> Cell | None:
    if not result.peak_pss_bytes:
        return None
    anonymous = bytes_words(result.peak_anonymous_bytes)
    return Cell(f"{bytes_words(result.peak_pss_bytes)} ({anonymous})", result.peak_pss_bytes)


_COLUMNS = (
    Column("threads", _number(lambda result: None if result.ceiling else result.threads, str)),
    Column("images/s", lambda result: Cell(spread(result.rates), result.rate)),
    Column("images/s per core", _number(lambda result: result.per_core, "{:,.0f}".format)),
    Column("CPU", _number(lambda result: result.cpu_percent, "{:.0f} %".format)),
    Column("first batch", _number(_first_batch, "{:.2f} s".format)),
    Column("memory (anonymous)", _memory),
    Column("on disk", _number(lambda result: result.bytes_on_disk or None, bytes_words)),
    Column("packed in", _number(lambda result: result.packing_seconds, duration_words)),
    Column("reads", lambda result: Cell(result.form) if result.form else None, numeric=False),
)


def columns_of(results: Sequence[Result]) -> list[Column]:
    """Those columns behind the name that have something to say of these results."""
    heads = [column.head for column in _COLUMNS]
    axes = dict.fromkeys(result.x_name for result in results if result.x is not None)
    along = [
        Column(
            name,
            lambda result, name=name: (  # type: ignore[misc]
                Cell(f"{result.x:,.10g}", result.x)
                if result.x is not None and result.x_name == name
                else None
            ),
        )
        for name in axes
        if name not in heads
    ]
    return [
        column
        for column in [*along, *_COLUMNS]
        if any(column.cell(result) is not None for result in results)
    ]


def name_of(result: Result) -> str:
    """How a table calls an entrant."""
    return result.title or result.label


def ordered(results: Sequence[Result]) -> list[Result]:
    """The fastest first, what loads nothing last; along an axis, entrant by entrant."""
    if any(result.x is not None for result in results):
        return sorted(results, key=lambda result: (name_of(result), result.threads, result.x or 0))
    return sorted(results, key=lambda result: (result.ceiling, -result.rate))


def best_of_each(results: Sequence[Result]) -> list[Result]:
    """Of each entrant the fastest number of threads or workers, the fastest entrant first."""
    best: dict[str, Result] = {}
    for result in ordered(results):
        best.setdefault(name_of(result), result)
    return list(best.values())


def note_of(result: Result, results: Sequence[Result]) -> str:
    """What an entrant reads, and with how many threads, the best of those in ``results``."""
    several = sum(name_of(other) == name_of(result) for other in results) > 1
    threads = "1 thread" if result.threads == 1 else f"{result.threads} threads"
    best = ", the best number of those tried" if several else ""
    return "; ".join(filter(None, (result.form, threads + best)))


def facts(results: Sequence[Result], photos: Mapping[str, Photos]) -> list[str]:
    """What all results of a suite have in common, or all that they have, sentence by sentence."""
    said = []
    for what, of in (
        ("", lambda result: result.recipe),
        ("batches of ", lambda result: str(result.batch)),
        ("", lambda result: str(photos[result.photos]) if result.photos else ""),
        ("page cache ", lambda result: result.cache_state),
    ):
        values = dict.fromkeys(filter(None, map(of, results)))
        if values:
            said.append(f"{what}{' or '.join(values)}")
    return said


def run_facts(document: Document) -> list[str]:
    """Where and when it was measured."""
    machine = document.machine
    lines = [str(machine), f"{machine.kernel}, Python {machine.python}"]
    if document.versions:
        lines.append(", ".join(document.versions))
    if document.commit:
        changed = ", with changes that are in no commit" if document.dirty else ""
        of = f" of {document.commit_time[:10]}" if document.commit_time else ""
        lines.append(f"commit {document.commit[:12]}{of}{changed}")
    rounds = "1 round" if document.rounds == 1 else f"{document.rounds} rounds"
    # To the minute, as ISO 8601 writes it.
    return [*lines, f"measured {document.time[:16]}, {rounds}"]


def notes_of(document: Document) -> list[str]:
    """What a reader has to know besides, in sentences."""
    if not document.smoke:
        return list(document.notes)
    return [
        "A smoke run: it shows that everything works; its figures mean nothing.",
        *document.notes,
    ]
