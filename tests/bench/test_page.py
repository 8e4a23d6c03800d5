from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fastload.bench.page import page, write_page
from fastload.bench.results import Failure
from tests.bench.documents import at_rate, document, wide_document

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAME = "<script>alert(1)</script>"


def test_names_are_text() -> None:
    shown = page(
        [
            document(
                [at_rate("a", 1, title=NAME, form=NAME), at_rate("b", 2, suite=NAME, recipe=NAME)],
                failed=[Failure("loader", NAME, NAME, NAME)],
                notes=[NAME],
            )
        ]
    )
    assert "<script>alert" not in shown


def test_ours_is_beside_the_fastest_other() -> None:
    shown = page([wide_document()])
    assert "<b>8.8 times</b>" in shown
    assert "as fast as DALI 2.4, CPU, the fastest other" in shown


def test_what_loads_nothing_is_no_rival() -> None:
    shown = page([document([at_rate("fastload", 10, 0), at_rate("replay", 1000, 0)])])
    assert 'class="tiles"' not in shown and "<svg" not in shown
    assert ">replay</th>" in shown


def test_an_axis_of_threads_is_one_line() -> None:
    scaling = [
        at_rate(f"fastload x{n}", 1000 * n, 0, threads=n, x=float(n), x_name="threads")
        for n in (1, 2, 4)
    ]
    shown = page([document(scaling)])
    assert "loader. fastload: 1,000 at 1.00, 4,000 at 4.00, images/s against threads" in shown
    assert shown.count(">threads</button>") == 1


def test_several_documents_keep_their_names() -> None:
    documents = [document([at_rate("fastload", 10)], file=f"runs/{n}.json") for n in "ab"]
    shown = page(documents)
    assert "<h2>a.json</h2>" in shown and 'href="#suite-1-0">b.json: loader</a>' in shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_in_a_browser(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    write_page([wide_document()], tmp_path / "page.html")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto((tmp_path / "page.html").as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    charts = opened.locator("svg.chart")
    assert charts.count() == 2
    for place in range(2):
        box = charts.nth(place).bounding_box()
        assert box is not None and box["width"] > 300
        outside = charts.nth(place).evaluate(
            "svg => [...svg.querySelectorAll('text, rect, circle, line')].filter(part => {"
            "  const box = part.getBoundingClientRect(), all = svg.getBoundingClientRect();"
            "  return box.left < all.left - 1 || box.right > all.right + 1"
            "    || box.bottom > all.bottom + 1; }).length"
        )
        assert outside == 0
    first = opened.locator("table").first
    first.get_by_role("button", name="images/s", exact=True).click()
    names = first.locator("tbody th").all_inner_texts()
    assert names[0] == "fastload, dct pack"
    first.get_by_role("button", name="images/s", exact=True).click()
    assert first.locator("tbody th").all_inner_texts() == names[::-1]
    assert said == []
    context.close()
