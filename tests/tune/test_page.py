"""The page shows every trial and the line to paste, and opens without an error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fastload.measure.machine import this_machine
from fastload.tune import FolderSettings, Trial, Tuning, Window
from fastload.tune.budget import Budget, Refusal
from fastload.tune.headroom import Headroom
from fastload.tune.page import page_of, rows_of
from fastload.tune.turns import Turn

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WORKERS_DIED = Trial(FolderSettings(4), (), "RuntimeError: <killed>")


@pytest.fixture
def tuning() -> Tuning:
    choice = Trial(
        FolderSettings(2, persistent_workers=True),
        tuple(Window(rate, 1.0, 0.25, 1.5, 80 * 10**6) for rate in (900, 1000, 1040)),
    )
    return Tuning(
        dataset="data/<b>cats</b>",
        images=5000,
        sampled=2048,
        transform="<lambda>",
        batch_size=64,
        machine=this_machine(),
        budget=Budget(2, 10**9, 10**9),
        headroom=Headroom(2000.0, 30),
        target=None,
        trials=[Trial(FolderSettings(1), (Window(500, 1.0),)), choice, WORKERS_DIED],
        choice=choice,
        refused=[Refusal(FolderSettings(8), "8 workers need more")],
        turn=Turn(0.5, 0.1, 5.0),
        notes=["A note."],
        seconds=61.0,
    )


def test_rows_tell_each_trial(tuning: Tuning) -> None:
    one, choice, died = rows_of(tuning)
    assert (one.workers, one.rate, one.spread, one.chosen) == ("1", "500", "", False)
    assert (choice.workers, choice.ahead, choice.others) == ("2", "2", "persistent_workers True")
    assert (choice.rate, choice.spread, choice.chosen) == ("1,000", "900-1,040", True)
    assert (choice.first_batch, choice.cpu, choice.memory) == ("0.25 s", "150 %", "80.0 MB")
    assert (died.failure, died.rate) == ("RuntimeError: <killed>", "")


def test_names_are_text_on_the_page(tuning: Tuning) -> None:
    page = page_of(tuning)
    assert "<b>cats" not in page and "&lt;b&gt;cats" in page
    assert "&lt;killed&gt;" in page and "<killed>" not in page
    assert "8 workers need more" in page and "A note." in page
    assert "num_workers=2, prefetch_factor=2, persistent_workers=True" in page


def test_a_step_that_waits_is_told_by_how_much(tuning: Tuning) -> None:
    assert tuning.verdict == (
        "The step takes 2,000 images/s from memory and 1,000 images/s from the loader: 50% of its "
        "speed is lost to loading, also with the best setting."
    )
    assert tuning.curve() == [(1, 500.0), (2, 1000.0), (4, 0.0)]


def test_the_page_opens_in_a_browser(tuning: Tuning, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "tuning.html"
    file.write_text(page_of(tuning))
    page = browser.new_page(viewport={"width": 400, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    assert page.locator("tbody tr").count() == 3
    assert page.locator("tr.chosen th").inner_text() == "2"
    assert page.locator("svg.chart").count() == 1
    assert page.locator("pre").inner_text().strip() == tuning.code
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert said == []
    page.close()
