"""``fastload doctor``: what is installed and allowed here, and what to do about each lack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastload.doctor import State, examine
from fastload.words import name_words

if TYPE_CHECKING:
    from fastload.doctor import Finding

__all__ = ["command"]

_MARKS = {State.GOOD: ("✓", "green"), State.NOTE: ("·", "yellow"), State.LACK: ("✗", "bold red")}


@click.command(name="doctor", short_help="Print what is installed, and what to do about lacks.")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(folder: Path | None, as_json: bool) -> None:
    """Look at this machine: packages, native library, SIMD, CPUs, limits, GPU and engines.

    With FOLDER, a pack or a label folder, also at where it lies. What is merely optional, or could
    be better, is marked with a dot; the exit code is 1 where something is to be mended.
    """
    areas = dict(examine(folder))
    if as_json:
        click.echo(json.dumps(_as_json(areas), indent=2))
    else:
        _print(areas)
    if any(finding.state is State.LACK for found in areas.values() for finding in found):
        raise SystemExit(1)


def _as_json(areas: dict[str, list[Finding]]) -> dict[str, list[dict[str, str]]]:
    return {
        name: [{**vars(finding), "state": finding.state.value} for finding in found]
        for name, found in areas.items()
    }


def _print(areas: dict[str, list[Finding]]) -> None:
    console = Console()
    for name, found in areas.items():
        console.print(Text(name, style="bold"))
        console.print(_table(found))
    states = [finding.state for found in areas.values() for finding in found]
    lacks, notes = states.count(State.LACK), states.count(State.NOTE)
    console.print(Text(_summary(lacks, notes)))


def _table(found: list[Finding]) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=3, justify="right")
    table.add_column(min_width=17)
    table.add_column(overflow="fold", ratio=1)
    for finding in found:
        mark, style = _MARKS[finding.state]
        words = Text(name_words(finding.found))
        if finding.remedy:
            words.append(f"\n→ {name_words(finding.remedy)}", style="cyan")
        table.add_row(Text(mark, style=style), Text(name_words(finding.name)), words)
    table.add_row()
    return table


def _summary(lacks: int, notes: int) -> str:
    if lacks:
        return f"{lacks} to be mended (✗), {notes} that could be better (·)."
    if notes:
        return f"Nothing is lacking; {notes} could be better or are optional (·)."
    return "Nothing is lacking."
