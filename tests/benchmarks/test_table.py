from __future__ import annotations

from rich.console import Console

from benchmarks.bars import AtLeast
from benchmarks.round_robin import Measurement
from benchmarks.table import report
from tests.benchmarks.measurements import measurement


def page(*measurements: Measurement) -> list[str]:
    console = Console(width=140)
    bars = [AtLeast("twice as fast", "loader", "dali", 2.0)]
    with console.capture() as capture:
        console.print(report("one machine", bars, measurements))
    return capture.get().splitlines()


def row(lines: list[str], start: str) -> list[str]:
    [line] = [line for line in lines if line.strip("│ ").startswith(start)]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_row_holds_median_and_spread() -> None:
    cells = row(page(measurement("fastload", 100, 300, 200)), "fastload x2")
    assert cells[1:5] == ["200 (100-300)", "5000", "0.25", "100 / 300"]


def test_a_peer_that_failed_keeps_its_row_and_its_error() -> None:
    lines = page(measurement("fastload", 100), measurement("dali", error="not installed"))
    assert row(lines, "dali x2")[-1] == "not installed"
    assert row(lines, "twice as fast")[-1] == "no figures of dali"


def test_bars_stand_beside_their_promise() -> None:
    lines = page(measurement("fastload", 100), measurement("dali", 40))
    assert row(lines, "twice as fast") == ["twice as fast", ">= 2 times", "2.50", "held"]
    lines = page(measurement("fastload", 100), measurement("dali", 80))
    assert row(lines, "twice as fast")[2:] == ["1.25", "missed"]


def test_each_suite_has_its_table_and_the_page_its_versions() -> None:
    lines = page(measurement("fastload", 100), measurement("fastload", 50, suite="pack"))
    assert [line.strip() for line in lines if line.strip().endswith(", crop")] == [
        "loader, crop",
        "pack, crop",
    ]
    assert lines[0].strip() == "one machine"
    assert lines[1].strip() == "fastload 1.0"
