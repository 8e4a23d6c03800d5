"""The table as Markdown and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from benchmarks.gpu.measuring import Row

COLUMNS = ("loader", "threads", "hw_decoder_load", "step", "images/s", "idle")
NOTES = """\
Medians over epochs behind a first one that is not timed, so the operating system has all files in
memory: no row reads from a disk. "No cache": each record is decoded anew from the pack. "Warm
cache": from the second epoch on, out of fastload's cache. "Idle": the share of the time between the
first step and the last in which the stream of the steps had none under way, by CUDA events around
each step; in other streams the GPU may be decoding meanwhile.
"""


def as_markdown(machine: dict[str, Any], rows: list[Row]) -> str:
    """Where it was measured, what the words mean, and the table."""
    lines = [f"- {name}: {value}" for name, value in machine.items()]
    return "\n".join([*lines, "", NOTES, *table(rows)]) + "\n"


def table(rows: list[Row]) -> list[str]:
    """Lines of Markdown."""
    cells = [COLUMNS, ("---",) * len(COLUMNS), *map(cells_of, rows)]
    return [f"| {' | '.join(line)} |" for line in cells]


def cells_of(row: Row) -> tuple[str, ...]:
    """The reason stands where the figure is missing."""
    load = "" if row.hw_decoder_load is None else str(row.hw_decoder_load)
    rate = (
        row.reason.replace("|", "/")
        if row.images_per_second is None
        else f"{row.images_per_second:.0f}"
    )
    idle = "" if row.idle is None else f"{row.idle:.1%}"
    return row.name, str(row.threads), load, "ResNet-18" if row.trained else "", rate, idle


def as_json(machine: dict[str, Any], rows: list[Row]) -> str:
    """The same, for programs."""
    return json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=1) + "\n"


def trial_lines(rows: list[Row]) -> list[str]:
    """Of a trial: what ran, and no figure that could be taken for a result."""
    return [
        f"{row.reason or 'ran'}: {row.name}, {row.threads} threads"
        + ("" if row.hw_decoder_load is None else f", hw_decoder_load {row.hw_decoder_load}")
        + (", with a training step" if row.trained else "")
        for row in rows
    ]
