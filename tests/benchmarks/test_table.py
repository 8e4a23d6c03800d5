from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks.bars import AtLeast
from benchmarks.measurement import Measurement
from benchmarks.photos import Photos
from benchmarks.table import heading, report
from tests.benchmarks.measurements import measurement

PHOTOS = Photos("cuts", 24, 3_000_000, 468.4, 400.6, "JPEG (quality 90)", Path("photos"))


def page(*measurements: Measurement) -> list[str]:
    console = Console(width=160)
    bars = [AtLeast("twice as fast", "loader", "dali", 2.0)]
    with console.capture() as capture:
        console.print(report("one machine", bars, measurements, {"jpeg": PHOTOS}))
    return capture.get().splitlines()


def row(lines: list[str], start: str) -> list[str]:
    [line] = [line for line in lines if line.strip("│ ").startswith(start)]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_row_holds_median_and_spread() -> None:
    cells = row(page(measurement("fastload", 100, 300, 200)), "fastload x2")
    assert cells[1:8] == ["200 (100-300)", "100", "200", "0.25", "100 / 300", "0.0", "1.5"]


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
    headings = [line.strip() for line in lines]
    assert headings.count("loader, crop") == headings.count("pack, crop") == 1
    assert lines[0].strip() == "one machine"
    assert lines[1].strip() == "fastload 1.0"


def test_a_heading_tells_what_was_read_and_how_warm_it_was() -> None:
    warm = measurement("fastload", 100)
    warm.cache_state = "warm"
    told = "24 images (cuts), 3.0 MB, mean 468x401, JPEG (quality 90), batch 128, warm page cache"
    assert heading([warm], {"jpeg": PHOTOS}) == f"loader, crop\n{told}"
    other = replace(warm, job=replace(warm.job, kind="64 px", batch=32))
    assert heading([warm, other], {"jpeg": PHOTOS}) == "loader, crop\nwarm page cache"
    assert heading([measurement("pillow", 100)], {}) == "loader, crop"


def test_a_long_table_fits_its_width() -> None:
    wide = measurement("imagefolder_torchvision", 12_345, 12_999, 12_101)
    wide.packing_seconds, wide.bytes = 123.4, 12_345_600_000
    lines = page(wide)
    assert max(map(len, lines)) <= 160
    assert row(lines, "imagefolder_torchvision x2")[1] == "12,345 (12,101-12,999)"
