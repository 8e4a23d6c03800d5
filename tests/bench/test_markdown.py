from __future__ import annotations

import pytest

from fastload.bench.columns import ordered
from fastload.bench.markdown import escaped, report
from fastload.bench.results import Failure
from tests.bench.documents import at_rate, document, wide_document


@pytest.mark.parametrize("name", ["a|b", "<b>x</b>", "`c`", "[d](e)", "*f*", "_g_", "a\nb", "&lt;"])
def test_names_are_text(name: str) -> None:
    failed = [Failure(name, name, name, name)]
    text = report(document([at_rate("dali x2", 900, title=name)], failed=failed, notes=[name]))
    [row] = [line for line in text.splitlines() if "900" in line or "(8" in line]
    columns = next(line for line in text.splitlines() if line.startswith("|---")).count("|")
    assert row.replace("\\|", "").count("|") == columns
    assert text.count(escaped(name)) == 5
    assert name not in text.replace(escaped(name), "")


def test_each_suite_has_a_table_and_its_failures() -> None:
    text = report(wide_document())
    assert text.index("## loader") < text.index("ffcv x2 failed") < text.index("## index size")
    assert "| **fastload, dct pack** | 2 |" in text
    assert "|  | images in the index | threads |" in text
    assert "- A note." in text


def test_a_suite_that_failed_is_there() -> None:
    text = report(document([], failed=[Failure("loader", "dali x2", "dali", "no")]))
    assert "## loader\n\n- dali x2 failed: no" in text


def test_a_smoke_run_says_so() -> None:
    assert "its figures mean nothing" in report(document([at_rate("dali", 1)], smoke=True))


def test_the_ceiling_is_last() -> None:
    rows = [at_rate("replay", 10**6), at_rate("dali", 1), at_rate("fastload", 10)]
    assert [row.label for row in ordered(rows)] == ["fastload", "dali", "replay"]
