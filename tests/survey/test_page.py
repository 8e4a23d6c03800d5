"""The page in Chromium: what it shows, how it is used, what it weighs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fastload
from benchmarks.many_rows import repeat_rows
from fastload.store import open_pack
from fastload.survey import page
from fastload.survey.page import inert_json
from tests.survey.conftest import CLOSING, COUNTS, KOREAN, SCRIPT, Opened, html_of

MOST_BYTES = 5_000_000


@pytest.fixture(scope="module")
def html(odd_pack: Path) -> str:
    return html_of(odd_pack)


def names(opened: Opened) -> list[str]:
    return opened.page.locator(".class:visible .name").all_text_contents()


def focused(opened: Opened) -> str:
    return opened.page.evaluate("document.activeElement.querySelector('.name')?.textContent || ''")


def loaded(opened: Opened, pictures: str) -> int:
    """How many of some pictures have been given something to show."""
    return opened.page.locator(f"{pictures}[src]").count()


def test_names_are_text_and_nothing_is_complained_of(html: str, look: Any) -> None:
    opened = look(html)
    shown = names(opened)
    assert shown[0] == SCRIPT and KOREAN in shown and CLOSING in shown
    assert "turned \\u202e back" in shown and "empty" in shown
    assert opened.page.evaluate("window.hurt") is None
    # Its own script and its data, none of a name's.
    assert opened.page.locator("script").count() == 2
    assert opened.page.locator("i:text('broken'), b:text('copy')").count() == 0
    assert "<i>broken.jpg" in opened.page.locator("#rejected").text_content()
    assert "<b>copy.jpg" in opened.page.locator("#copies").text_content()
    assert opened.complaints == []


def test_text_cannot_end_the_data() -> None:
    assert "<" not in inert_json({"</script><script>": ["<!--", "\u2028"]})


def test_the_histogram_is_sorted_and_logarithmic(html: str, look: Any) -> None:
    opened = look(html)
    counts = [int(text) for text in opened.page.locator(".class .count").all_inner_texts()]
    assert counts == sorted(counts, reverse=True) and counts[0] == 40 and counts[-1] == 0
    widths = opened.page.evaluate(
        "[...document.querySelectorAll('.class .bar i')].map((bar) => parseFloat(bar.style.width))"
    )
    by_count = dict(zip(counts, widths, strict=True))
    assert by_count[40] == 100 and by_count[0] == 0 and by_count[2] > 0
    # The step from 2 to 10 is that from 8 to 40.
    step = (100 - by_count[2]) / np.log(20)
    assert by_count[10] == pytest.approx(by_count[2] + step * np.log(5), abs=0.1)
    assert "20.0" in opened.page.locator(".tiles").inner_text()  # 40 to 2


def test_search_and_order(html: str, look: Any) -> None:
    opened = look(html)
    search = opened.page.locator("#search")
    search.fill("걸레")
    assert names(opened) == [KOREAN]
    assert opened.page.locator("#found").inner_text() == "1 of 6 classes"
    search.fill("ZOO")
    assert names(opened) == ["Zoo"]
    search.fill("nowhere")
    assert names(opened) == [] and "No class" in opened.page.locator("#list").inner_text()
    search.fill("")
    opened.page.locator("#order").select_option("label")
    assert names(opened) == [
        name.replace("\u202e", "\\u202e") for name in sorted([*COUNTS, "empty"])
    ]


def test_keys_find_move_open_and_clear(html: str, look: Any) -> None:
    opened = look(html)
    keys = opened.page.keyboard
    keys.press("j")
    assert focused(opened) == SCRIPT
    keys.press("j")
    keys.press("ArrowDown")
    keys.press("k")
    assert focused(opened) == KOREAN
    keys.press("Enter")
    assert opened.page.locator(".class.open .name").all_inner_texts() == [KOREAN]
    keys.press("Escape")
    assert opened.page.locator(".class.open").count() == 0
    keys.press("/")
    keys.type("oo/j")  # a slash and a j are text here
    assert opened.page.locator("#search").input_value() == "oo/j"
    keys.press("Escape")
    assert opened.page.locator("#search").input_value() == "" and len(names(opened)) == 6
    keys.press("/")
    keys.type("zoo")
    keys.press("Enter")
    assert focused(opened) == "Zoo"
    assert opened.page.locator(".class.open .sheet img").count() == 2


def test_pictures_are_made_when_they_are_scrolled_to(html: str, look: Any) -> None:
    opened = look(html, viewport={"width": 320, "height": 400})
    assert loaded(opened, ".sheet img") == 0 and loaded(opened, "#copies img") == 0
    opened.page.locator(".class button").first.click()
    opened.until("document.querySelector('.sheet img[src]')")
    assert opened.page.locator(".sheet img").count() == 40
    assert loaded(opened, ".sheet img") < 40
    opened.page.locator(".sheet img").last.scroll_into_view_if_needed()
    opened.until("[...document.querySelectorAll('.sheet img')].at(-1).naturalWidth")
    assert "all 40 shown" in opened.page.locator(".sheet").inner_text()
    opened.page.locator("#copies").scroll_into_view_if_needed()
    opened.until(
        "[...document.querySelectorAll('#copies img')].every((image) => image.naturalWidth)"
    )
    assert loaded(opened, "#copies img") == 2


@pytest.mark.parametrize(("scheme", "bright"), [("light", True), ("dark", False)])
def test_light_and_dark(html: str, look: Any, scheme: str, bright: bool) -> None:
    opened = look(html, color_scheme=scheme)
    colour = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (min(map(int, re.findall(r"\d+", colour))) > 128) is bright
    pixels = opened.page.evaluate(
        "[...document.getElementById('tail').getContext('2d').getImageData(60, 130, 1, 1).data]"
    )
    assert pixels[3] == 255  # a bar is there


@pytest.mark.parametrize("width", [320, 400])
def test_nothing_sticks_out_of_a_small_screen(html: str, look: Any, width: int) -> None:
    opened = look(html, viewport={"width": width, "height": 800})
    opened.page.locator(".class button").first.click()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.complaints == []


def test_what_is_drawn_of_a_large_class_says_so(
    odd_pack: Path, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "_MOST", 40)
    opened = look(html_of(odd_pack))
    opened.page.locator(".class button").first.click()
    sheet = opened.page.locator(".sheet")
    shown = sheet.locator("img").count()
    assert 10 < shown < 40
    assert f"{shown} of 40 shown, drawn at random" in sheet.inner_text()


def test_sizes_are_told_by_key(html: str, look: Any) -> None:
    opened = look(html)
    opened.page.locator("#scatter").focus()
    opened.page.keyboard.press("ArrowDown")
    width, height = opened.page.locator("#sizes .chosen th").inner_text().split(" × ")
    assert opened.page.locator("#point").inner_text().startswith(f"{width} × {height}: ")


def test_the_batch_shows_boxes_and_draws(html: str, look: Any) -> None:
    opened = look(html)
    cards = opened.page.locator(".batch > li")
    assert cards.count() == 16
    assert re.search(r"crop \d+ × \d+ at \(\d+, \d+\)", cards.first.text_content())
    opened.page.locator("#model").scroll_into_view_if_needed()
    opened.until("document.querySelector('.batch .given').naturalWidth === 224")
    # The frame has the proportions of the stored image: the box lies where it should.
    ratio = opened.page.evaluate(
        "(() => { const box = document.querySelector('.stored').getBoundingClientRect(),"
        " image = document.querySelector('.stored img');"
        " return box.width / box.height / (image.naturalWidth / image.naturalHeight); })()"
    )
    assert ratio == pytest.approx(1, abs=0.05)


def test_draws_sort_by_column(html: str, look: Any) -> None:
    opened = look(html)
    opened.page.get_by_role("button", name="sqrt").click()
    cells = opened.page.locator("#draws tbody td:nth-child(5)")
    draws = [float(cell.get_attribute("data-v")) for cell in cells.all()]
    assert draws == sorted(draws, reverse=True) and len(draws) == 6


def test_a_damaged_image_is_named_and_the_rest_is_shown(copy: Path, look: Any) -> None:
    pack = open_pack(copy)
    with pack.shard_file(0).open("r+b") as file:
        file.seek(int(pack.index.offset[7]) + 30)
        file.write(b"damage!!")
    opened = look(html_of(copy))
    damaged = opened.page.locator("#damaged ~ .scroll tbody tr")
    assert damaged.count() == 1
    assert pack.index.path(7) in damaged.inner_text() and "checksum" in damaged.inner_text()
    assert opened.page.locator(".class").count() == 4


def test_a_missing_shard_is_told(copy: Path, look: Any) -> None:
    open_pack(copy).shard_file(0).unlink()
    opened = look(html_of(copy))
    assert "the shard is missing" in opened.page.locator(".fault").first.inner_text()
    assert opened.page.locator("#damaged ~ .scroll tbody tr").count() == 22
    assert len(names(opened)) == 4


def test_images_without_classes(label_folder: Path, tmp_path: Path, look: Any) -> None:
    pack = fastload.pack(label_folder, tmp_path / "bare.pack", unlabelled=True).path
    opened = look(html_of(pack))
    assert names(opened) == ["all images"]
    assert opened.page.locator(".sheet img").count() == 22
    assert opened.page.locator("#draws, #search").count() == 0
    assert opened.complaints == []


def test_an_empty_pack(tmp_path: Path, look: Any) -> None:
    (tmp_path / "photos" / "a").mkdir(parents=True)
    opened = look(html_of(fastload.pack(tmp_path / "photos", allow_empty=True).path))
    assert names(opened) == ["a"] and opened.complaints == []
    opened.page.locator(".class button").click()
    assert "has no images" in opened.page.locator(".sheet").inner_text()


def test_a_part_of_a_split(copy: Path, look: Any) -> None:
    fastload.holdout(open_pack(copy), 0.3, seed=1).save("part")
    part = fastload.ImageFolder(copy, split="part", part="val")
    opened = look(html_of(copy, split="part", part="val"))
    counts = opened.page.locator(".class .count").all_inner_texts()
    assert sorted(map(int, counts)) == sorted(part.class_counts.tolist())
    assert "val of part" in opened.page.locator(".under-title").inner_text()


def many_classes(root: Path, classes: int) -> Path:
    """An image a class, each another one."""
    rng = np.random.default_rng(1)
    for number in range(classes):
        (root / f"class {number:04}").mkdir(parents=True)
        pixels = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        image = Image.fromarray(pixels).resize((500, 375), Image.Resampling.BICUBIC)
        image.save(root / f"class {number:04}" / "0.jpg", quality=90)
    return fastload.pack(root, workers=2).path


@pytest.mark.parametrize("classes", [10, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_hundred_thousand_images_open_at_once(tmp_path: Path, look: Any, classes: int) -> None:
    pack = many_classes(tmp_path / "few", classes)
    repeat_rows(str(pack), 100_000 // classes, tmp_path / "many.pack")
    made = html_of(tmp_path / "many.pack")
    assert len(made.encode()) < MOST_BYTES
    opened = look(made)
    timing = opened.page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert 0 < timing < 2000
    assert opened.page.locator(".class").count() == classes
    assert "100,000" in opened.page.locator(".tiles").inner_text()
    opened.page.evaluate("[...document.querySelectorAll('.class')].at(-1).scrollIntoView()")
    opened.until("[...document.querySelectorAll('.class')].at(-1).querySelector('.strip img[src]')")
    assert opened.complaints == []


def test_noise_does_not_break_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for name, count in (("many", 30), ("few", 2)):
        (tmp_path / "noise" / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (120, 120, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "noise" / name / f"{number}.png")
    pack = fastload.pack(tmp_path / "noise", workers=2).path
    monkeypatch.setattr(page, "_SHEET_BYTES", 100_000)
    sheets = re.search(r'"classes":(\[.*?\]\]\])', html_of(pack))
    assert sheets is not None
    (few, _, rare), (many, count, some) = json.loads(sheets[1])
    assert (few, many, count) == ("few", "many", 30)
    assert len(rare) == 2 and 2 <= len(some) < 30
