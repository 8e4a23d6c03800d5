"""The tables of a run: one a suite, and the bars with what was measured beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from statistics import median

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.bars import Bar
from benchmarks.measurement import Measurement
from benchmarks.peers import PEERS
from benchmarks.photos import Photos
from fastload.measure.spread import spread

LEGEND = (
    "x2: 2 threads or workers. Median (lowest-highest) over the rounds, entrants in turn. "
    "A core: images for each second of CPU time, of the whole process tree. "
    "First batch: from before the construction, imports not counted. "
    "MB: highest of the process tree beyond the import of torch, "
    "anonymous (heap and shared memory) / proportional, mapped file pages included. "
    "Packing: what the peer's own writer took, with two threads, for what is read here."
)
FIGURES = (
    "images/s",
    "a core",
    "CPU %",
    "first batch s",
    "MB anon / pss",
    "MB on disk",
    "packing s",
)


def heading(measurements: Sequence[Measurement], photos: Mapping[str, Photos]) -> str:
    """Suite and recipe; then, where all entrants read the same photos, what these are."""
    first = measurements[0]
    lines = [", ".join(filter(None, (first.suite, first.job.recipe)))]
    kinds, batches = ({getattr(m.job, name) for m in measurements} for name in ("kind", "batch"))
    if first.cache_state:
        told = [str(photos[kind]) for kind in kinds if len(kinds) == 1 and kind in photos]
        told += [f"batch {batch}" for batch in batches if len(batches) == 1]
        lines.append(", ".join([*told, f"{first.cache_state} page cache"]))
    return "\n".join(lines)


def suite_table(measurements: Sequence[Measurement], photos: Mapping[str, Photos]) -> Table:
    """One row an entrant; an entrant that failed has its error in its row."""
    table = Table("peer", title=heading(measurements, photos), title_justify="left")
    for name in FIGURES:
        table.add_column(name, justify="right")
    table.add_column("reads")
    for m in measurements:
        if m.error or not m.rates:
            error = Text(m.error or "not measured", style="red")
            table.add_row(m.job.label, *[""] * len(FIGURES), error)
            continue
        table.add_row(
            m.job.label,
            spread(m.rates),
            f"{median(m.rates_of_a_core):,.0f}" if m.rates_of_a_core else "",
            f"{median(m.cpu_percent):.0f}",
            spread(m.first_batch, 2),
            f"{m.peak.anonymous / 1e6:.0f} / {m.peak.pss / 1e6:.0f}",
            f"{m.bytes / 1e6:.1f}",
            "" if m.packing_seconds is None else f"{m.packing_seconds:.1f}",
            m.form or PEERS[m.job.peer].bytes,
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


def report(
    header: str,
    bars: Sequence[Bar],
    measurements: Sequence[Measurement],
    photos: Mapping[str, Photos],
) -> RenderableType:
    """The whole page of a run."""
    versions = sorted({m.version for m in measurements if m.version})
    notes = f"{header}\n{', '.join(versions)}\n{LEGEND}"
    suites = [
        suite_table(list(rows), photos) for _, rows in groupby(measurements, key=lambda m: m.suite)
    ]
    return Group(Text(notes), *suites, bars_table(bars, measurements))
