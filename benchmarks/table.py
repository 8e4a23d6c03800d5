"""The tables of a run: one a suite, and the bars with what was measured beside them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from statistics import median

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.bars import Bar
from benchmarks.peers import PEERS
from benchmarks.round_robin import Measurement
from fastload.measure.spread import spread

LEGEND = (
    "x2: 2 threads or workers. Median (lowest-highest) over the rounds, entrants in turn. "
    "First batch: from before the construction, imports not counted. "
    "MB: highest of the process tree beyond the import of torch, "
    "anonymous (heap and shared memory) / proportional, mapped file pages included."
)


def suite_table(measurements: Sequence[Measurement]) -> Table:
    """One row an entrant; an entrant that failed has its error in its row."""
    first = measurements[0]
    title = ", ".join(filter(None, (first.suite, first.job.recipe)))
    table = Table("peer", title=title, title_justify="left")
    for heading in ("images/s", "us/image", "first batch s", "MB anon / pss", "MB on disk"):
        table.add_column(heading, justify="right")
    table.add_column("bytes")
    for m in measurements:
        if m.error or not m.rates:
            table.add_row(m.job.label, *[""] * 5, Text(m.error or "not measured", style="red"))
            continue
        table.add_row(
            m.job.label,
            spread(m.rates),
            f"{median(m.microseconds):.0f}",
            spread(m.first_batch, 2),
            f"{m.peak.anonymous / 1e6:.0f} / {m.peak.pss / 1e6:.0f}",
            f"{m.bytes / 1e6:.1f}",
            PEERS[m.job.peer].bytes,
        )
    return table


def bars_table(bars: Sequence[Bar], measurements: Sequence[Measurement]) -> Table:
    """Every bar with its figure, spread and verdict."""
    table = Table(
        "bar",
        "promise",
        title="bars",
        title_justify="left",
    )
    table.add_column("measured", justify="right")
    table.add_column("verdict")
    for bar in bars:
        verdict = bar.judge(measurements)
        if verdict.missing:
            table.add_row(bar.what, bar.promise, "", Text(verdict.missing, style="yellow"))
            continue
        mark = Text("held", style="green") if verdict.held else Text("missed", style="red")
        table.add_row(bar.what, bar.promise, spread(verdict.values, 2), mark)
    return table


def report(header: str, bars: Sequence[Bar], measurements: Sequence[Measurement]) -> RenderableType:
    """The whole page of a run."""
    versions = sorted({m.version for m in measurements if m.version})
    notes = f"{header}\n{', '.join(versions)}\n{LEGEND}"
    suites = [suite_table(list(rows)) for _, rows in groupby(measurements, key=lambda m: m.suite)]
    return Group(Text(notes), *suites, bars_table(bars, measurements))
