"""README.md's figures are those of the committed results."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import readme
from fastload.bench.results import Failure, write_document
from tests.bench.documents import at_rate, document

TEXT = f"before\n{readme.BEGIN}typed figures\n{readme.END}after\n"


def loaders(suite: str = "loader") -> list:
    return [
        at_rate("fastload_dct x2", 8000, 0, suite=suite, title="fastload, dct pack"),
        at_rate("fastload x2", 4000, 0, suite=suite, title="fastload, JPEG pack"),
        at_rate("imagefolder x2", 400, 0, suite=suite, title="ImageFolder"),
        at_rate("imagefolder x4", 500, 0, suite=suite, title="ImageFolder", threads=4),
        at_rate("replay x2", 10**6, 0, suite=suite, title="nothing loaded"),
    ]


def test_readme_is_what_the_results_say() -> None:
    text = readme.README.read_text()
    assert readme.updated(text, readme.section(readme.results(readme.RESULTS))) == text


def test_each_entrant_has_a_row_at_its_best() -> None:
    rows = [line for line in readme.section([document(loaders())]).splitlines() if "|" in line]
    assert len(rows) == 2 + 3
    assert rows[2].startswith("| fastload, dct pack (") and rows[2].endswith(
        "| 8,000 (8,000-8,000) |  |  |"
    )
    assert "4 threads, the best number of those tried" in rows[4]
    assert rows[4].endswith("| 500 (500-500) | 16.0 times as fast | 8.0 times as fast |")


def test_what_the_figures_are_of_is_stated() -> None:
    failed = [Failure("loader", "ffcv x2", "ffcv", "no compiler")]
    text = readme.section([document(loaders(), failed=failed)])
    for words in (
        "A processor, 2 usable CPUs",
        "imagefolder 1.0",
        "commit 0123456789ab of 2026-11-28",
        "1,000 images of photos, 110.0 MB, mean 468x401, JPEG of quality 96",
        "page cache warm",
        "ffcv x2: no compiler",
    ):
        assert words in text


def test_the_newest_result_of_each_suite_is_shown(tmp_path: Path) -> None:
    old = document(
        [at_rate("imagefolder x2", 111, 0), *loaders("resized loader")], time="2026-01-01T00:00"
    )
    for name, one in (("a", document(loaders())), ("b", old)):
        write_document(one, tmp_path / f"{name}.json")
    (tmp_path / "gpu.json").write_text("{}")
    write_document(document([at_rate("dali", 5)], smoke=True, time="2027"), tmp_path / "c.json")
    text = readme.section(readme.results(tmp_path))
    assert "111" not in text and "dali" not in text
    assert text.count("measured 2026-") == 2
    assert text.index("very same photos") < text.index("made smaller")


def test_only_what_is_between_the_marks_is_replaced() -> None:
    assert readme.updated(TEXT, "figures\n") == TEXT.replace("typed figures", "figures")
    assert readme.updated(TEXT, readme.section([])) == TEXT
    with pytest.raises(ValueError, match="once"):
        readme.updated("no marks", "figures\n")
