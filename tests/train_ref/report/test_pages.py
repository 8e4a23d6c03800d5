"""The pages as a browser shows them: readable, still, and nothing but their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import fastload
from tests.train_ref.report.conftest import CLASSES
from tests.train_ref.report.run_folders import Recipe, made_run
from train_ref.report import Run, read_run, write_report
from train_ref.run_folder import RunFolder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (400, 1600)
SCHEMES = ("light", "dark")

# Contrast and size of every text that is seen, as WCAG 2.1 has contrast: backgrounds are put on one
# another from the outermost on. SVG's text has its fill and the scale that it is drawn at.
TEXTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [x, y, z]) => [a*r + (1-a)*x, a*g + (1-a)*y, a*b + (1-a)*z];
  const paper = (element) => {
    const under = element.parentElement ? paper(element.parentElement) : [255, 255, 255];
    return over(rgba(getComputedStyle(element).backgroundColor), under);
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((level) => {
      const share = level / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    const style = getComputedStyle(element);
    const svg = element instanceof SVGElement;
    const under = paper(element);
    const ink = over(rgba(svg ? style.fill : style.color), under);
    const [low, high] = [light(ink), light(under)].sort((one, other) => one - other);
    const matrix = svg ? element.getScreenCTM() : null;
    const scale = svg ? Math.hypot(matrix.a, matrix.b) : 1;
    found.push({ text, contrast: (high + 0.05) / (low + 0.05),
                 size: parseFloat(style.fontSize) * scale });
  }
  return found;
}"""


def run_of(report: Path) -> Run:
    return read_run(RunFolder(report.parent))


@contextmanager
def opened(
    browser: Browser, path: Path, width: int = 1600, scheme: str = "light"
) -> Iterator[Page]:
    """Show a page; that it complains of nothing and asks for nothing is looked at in the end."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    yield page
    assert complaints == []
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    context.close()


@pytest.fixture(scope="module")
def report(folds_of_walls: Path) -> Path:
    return folds_of_walls / "fold 0" / "report.html"


@pytest.fixture(scope="module")
def folds(folds_of_walls: Path) -> Path:
    return folds_of_walls / "folds.html"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("which", ["report", "folds"])
def test_readable(
    browser: Browser, request: pytest.FixtureRequest, which: str, width: int, scheme: str
) -> None:
    with opened(browser, request.getfixturevalue(which), width, scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        texts = page.evaluate(TEXTS)
    assert len(texts) > 100
    faint = [one for one in texts if one["contrast"] < 4.5]
    assert not faint, faint[:5]
    small = [one for one in texts if one["size"] < 11]
    assert not small, small[:5]


def test_dark_is_dark(browser: Browser, report: Path) -> None:
    levels = []
    for scheme in SCHEMES:
        with opened(browser, report, scheme=scheme) as page:
            (level,) = re.findall(
                r"rgb\((\d+),", page.evaluate("getComputedStyle(document.body).backgroundColor")
            )
            levels.append(int(level))
    assert levels[0] > 200 > 50 > levels[1]


def test_names_are_text(browser: Browser, report: Path, folds: Path) -> None:
    for path in (report, folds):
        with opened(browser, path) as page:
            names = page.locator("#classes tbody th").all_text_contents()
            assert {one.strip() for one in names} >= set(CLASSES)
            assert page.evaluate("window.broken") is None
            assert page.locator("img[src=x]").count() == 0


def test_what_gets_in_does_not_run(browser: Browser, report: Path, tmp_path: Path) -> None:
    """The page's policy is a second lock: even unescaped, a name would run nothing."""
    text = report.read_text("utf-8")
    attacked = tmp_path / "attacked.html"
    script = "<script>window.broken=1</script>"
    image = "<img src='https://example.invalid/x.png' onerror='window.broken=1'>"
    attacked.write_text(text.replace("<main>", f"<main>{script}{image}"), "utf-8")
    context = browser.new_context()
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(attacked.as_uri())
    assert page.evaluate("window.broken") is None
    assert len([one for one in refused if "Content Security Policy" in one]) >= 2
    # The page's own script has a hash and still runs.
    page.locator(".matrix").focus()
    page.keyboard.press("ArrowDown")
    assert "images of" in (page.locator("#told").text_content() or "")
    context.close()


def test_hangul_has_its_own_shapes(browser: Browser, report: Path) -> None:
    """Without a font, all signs are the same box."""
    with opened(browser, report) as page:
        drawn = page.evaluate(
            """() => [..."훼손오염"].map((sign) => {
              const canvas = document.createElement("canvas");
              const pen = canvas.getContext("2d");
              pen.font = `40px ${getComputedStyle(document.body).fontFamily}`;
              pen.fillText(sign, 10, 60);
              return canvas.toDataURL();
            })"""
        )
    assert len(set(drawn)) == 4


def column(page: Page, number: int) -> list[str]:
    return [
        one.strip()
        for one in page.locator(
            f"#classes table.sortable tbody tr > :nth-child({number})"
        ).all_text_contents()
    ]


def test_a_column_sorts(browser: Browser, report: Path) -> None:
    with opened(browser, report) as page:
        sizes = [int(one) for one in column(page, 2)]
        assert sizes == sorted(sizes, reverse=True)
        # By the keyboard as by the mouse.
        page.locator("#classes table.sortable th button", has_text="training").focus()
        page.keyboard.press("Enter")
        assert [int(one) for one in column(page, 2)] == sorted(sizes)
        page.get_by_role("button", name="recall").click()
        recalls = [-1.0 if one == "–" else float(one) for one in column(page, 5)]
        assert recalls == sorted(recalls, reverse=True)
        page.get_by_role("button", name="Class", exact=True).click()
        names = column(page, 1)
        page.get_by_role("button", name="Class", exact=True).click()
        assert column(page, 1) == names[::-1] != names
        assert page.locator("#classes th[aria-sort]").count() == 1


def test_the_matrix_tells_of_its_cells(browser: Browser, report: Path) -> None:
    confusion = run_of(report).answers.scores.confusion
    with opened(browser, report) as page:
        order = [one.strip() for one in page.locator(".matrix tbody th").all_text_contents()]
        classes = run_of(report).classes
        page.locator(".matrix").focus()
        for key in ("ArrowDown", "ArrowRight", "ArrowDown", "ArrowDown"):
            page.keyboard.press(key)
        told = page.locator("#told").text_content() or ""
        row, answer = (classes.index(order[at]) for at in (2, 1))
        count, images = confusion[row, answer], confusion[row].sum()
        assert told.startswith(f"{count} of {images} images of {order[2]} were answered {order[1]}")
        page.locator(".matrix tbody tr").nth(0).locator("td").nth(0).hover()
        first = classes.index(order[0])
        told = page.locator("#told").text_content() or ""
        assert told.startswith(f"{confusion[first, first]} of {confusion[first].sum()} images")


def test_anchors_and_links_lead_somewhere(browser: Browser, report: Path, folds: Path) -> None:
    for path in (report, folds):
        with opened(browser, path) as page:
            targets = page.locator("nav a").evaluate_all(
                "all => all.map((one) => one.hash.slice(1))"
            )
            assert len(targets) >= 3
            for target in targets:
                assert page.locator(f"[id='{target}']").count() == 1
    with opened(browser, folds) as page:
        links = page.locator("#runs a").evaluate_all("all => all.map((one) => one.href)")
    assert len(links) == 3
    context = browser.new_context()
    page = context.new_page()
    titles = set()
    for link in links:
        page.goto(link)
        titles.add(page.title())
    assert titles == {"fold 0", "fold#1 50%", "<b>fold2"}
    context.close()


def test_thumbnails_are_the_images(browser: Browser, report: Path, walls: Path) -> None:
    run = run_of(report)
    images = fastload.ImageFolder(walls)
    by_path = {
        str(Path(path).relative_to(walls)): at for at, (path, _) in enumerate(images.samples)
    }
    with opened(browser, report) as page:
        page.locator("#mistakes img").evaluate_all("all => all.forEach(i => i.loading = 'eager')")
        page.wait_for_function(
            "[...document.querySelectorAll('#mistakes img')].every((one) => one.naturalWidth)"
        )
        shown = page.locator("#mistakes img").evaluate_all(
            "all => all.map((one) => [one.alt, one.naturalWidth, one.naturalHeight])"
        )
        said = page.locator("#mistakes .no b").all_text_contents()
        true = page.locator("#mistakes .yes b").all_text_contents()
    assert len(shown) == int((run.answers.probabilities.argmax(1) != run.answers.labels).sum()) > 0
    for (path, width, height), answer, label in zip(shown, said, true, strict=True):
        image, target = images[by_path[path]]
        assert image.size == (width, height)
        assert label == run.classes[target] != answer


def test_many_classes(browser: Browser, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(200):
        (tmp_path / "many" / f"class {number:03d}").mkdir(parents=True)
        for copy in range(2):
            noise = rng.integers(0, 255, (16, 16, 3), np.uint8)
            Image.fromarray(noise).save(tmp_path / "many" / f"class {number:03d}" / f"{copy}.png")
    pack = fastload.pack(tmp_path / "many", workers=2).path
    fastload.holdout(pack, 0.5, group="none").save("half")
    run = read_run(made_run(tmp_path / "run", Recipe(pack, "half", epochs=1)))
    path = write_report(run)
    assert path.stat().st_size < 1_500_000
    with opened(browser, path, 400) as page:
        assert page.locator(".matrix tbody td").count() == 200 * 200
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        page.locator(".matrix").evaluate(
            """(matrix) => { for (let key = 0; key < 40; key++) matrix.dispatchEvent(
                 new KeyboardEvent("keydown", { key: "ArrowRight" })); }"""
        )
        at = page.locator(".matrix .at").bounding_box()
        frame = page.locator(".matrix").bounding_box()
        assert at is not None and frame is not None
        assert frame["x"] <= at["x"] and at["x"] + at["width"] <= frame["x"] + frame["width"]
        # Its row's name is still there, at the left.
        head = page.locator(".matrix tbody th").first.bounding_box()
        assert head is not None and abs(head["x"] - frame["x"]) < 2
