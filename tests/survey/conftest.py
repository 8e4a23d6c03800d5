"""A pack with what goes wrong in real ones, and what a page shows of it."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fastload
from fastload.survey.facts import Asked, facts_of
from fastload.survey.page import page_of
from fastload.survey.presets import preset_pipeline
from fastload.survey.serve import PageServer
from fastload.survey.thumbnails import Thumbnails
from tests.duplicates.copies import photo

SCRIPT = "<script>window.hurt = 1<!--"
CLOSING = "]] & &amp; 'x'"  # no "</script>": a folder's name has no slash
KOREAN = "걸레받이수정"
COUNTS = {SCRIPT: 40, KOREAN: 9, "turned \u202e back": 3, CLOSING: 2, "Zoo": 1}


@pytest.fixture(scope="session")
def odd_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Odd names, an empty class, a copy in another class, a file that is no image."""
    root = tmp_path_factory.mktemp("odd") / "photos"
    rng = np.random.default_rng(5)
    for name, count in COUNTS.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            height, width = (int(side) for side in rng.integers(60, 200, 2))
            photo(rng, height, width).save(root / name / f"{number:03}.jpg", quality=80)
    shutil.copy(root / SCRIPT / "000.jpg", root / KOREAN / "<b>copy.jpg")
    (root / KOREAN / "<i>broken.jpg").write_text("no image")
    (root / "empty").mkdir()
    Image.new("RGB", (4000, 3)).save(root / "Zoo" / "line.png")
    return fastload.pack(root, workers=2, allow_empty=True).path


def asked_of(pack: Path, **options: Any) -> Asked:
    dataset = fastload.ImageFolder(pack, **options)
    return Asked(dataset, preset_pipeline("train"), "train", "none", 0, 2)


def html_of(pack: Path, *, served: bool = False, **options: Any) -> str:
    asked = asked_of(pack, **options)
    thumbnails = Thumbnails(asked.dataset, 2)
    try:
        return page_of(asked, facts_of(asked), thumbnails, served=served)
    finally:
        thumbnails.close()


@dataclass
class Opened:
    """A page in a browser, with everything that it has complained of."""

    page: Any
    complaints: list[str]

    def until(self, expression: str, seconds: float = 20) -> None:
        """Wait for what becomes true; the page's policy forbids Playwright's own way."""
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"never: {expression}"
            self.page.wait_for_timeout(20)


@contextlib.contextmanager
def serving(pack: Path) -> Iterator[PageServer]:
    """The server of a pack's page, while it is asked."""
    dataset, page = fastload.ImageFolder(pack), html_of(pack, served=True)
    thumbnails = Thumbnails(dataset, 2)
    with PageServer(page, dataset, thumbnails) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
            thumbnails.close()


@pytest.fixture
def look(browser: Any, tmp_path: Path) -> Any:
    """Opens HTML, or an address; keyword arguments are the browser's."""
    pages = []

    def open_page(what: str, **context: Any) -> Opened:
        if not what.startswith("http://"):
            (tmp_path / "page.html").write_text(what, encoding="utf-8")
            what = (tmp_path / "page.html").as_uri()
        page = browser.new_page(**{"viewport": {"width": 1200, "height": 800}, **context})
        pages.append(page)
        opened = Opened(page, [])
        page.on("console", lambda message: opened.complaints.append(message.text))
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on("dialog", lambda dialog: opened.complaints.append(dialog.message))
        page.goto(what)
        return opened

    yield open_page
    for page in pages:
        page.close()
