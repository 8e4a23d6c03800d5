"""``fastload duplicates`` as a user types it, and the page that it writes."""

from __future__ import annotations

import base64
import csv
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import fastload
from fastload.cli import duplicates, duplicates_page
from tests.cli.conftest import run
from tests.duplicates.copies import photo, write_photos

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCRIPT = "<script>alert(1)"
OTHER = 'R&D "b"'


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images; of two a copy in another class, of one of these a mirrored one; of one two."""
    root = tmp_path_factory.mktemp("doubled") / "photos"
    rng = np.random.default_rng(7)
    images = [photo(rng, 80, 96) for _ in range(4)]
    for name in (SCRIPT, OTHER):
        (root / name).mkdir(parents=True)
    for number, image in enumerate(images):
        image.save(root / OTHER / f"{number}.png")
    shutil.copy(root / OTHER / "0.png", root / SCRIPT / "copy.png")
    images[0].transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(root / OTHER / "mirrored.png")
    images[1].save(root / SCRIPT / "other<b>.jpg")
    for number in range(3):
        images[2].save(root / OTHER / f"q{number}.jpg", quality=60 + number)
    return fastload.pack(root, workers=2).path


class Shown(HTMLParser):
    """The tags, the text and the pictures of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "img":
            self.pictures.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_groups_that_span_classes_come_first(doubled: Path) -> None:
    result = run("duplicates", doubled)
    assert result.exit_code == 0, result.output
    heads = [line for line in result.stdout.splitlines() if re.match(r"\d+: ", line)]
    assert heads == ["1: 3 images in 2 classes", "2: 2 images in 2 classes", "3: 4 images"]
    assert result.stdout.splitlines()[-1] == (
        f"{doubled}: 9 of 10 images are in 3 groups that show the same; 2 of the groups span "
        "classes."
    )


def test_the_table_has_every_record(doubled: Path, tmp_path: Path) -> None:
    assert run("duplicates", doubled, "--csv", tmp_path / "all.csv").exit_code == 0
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    of_group = {number: [row for row in rows if row["group"] == number] for number in "123"}
    assert {row["path"] for row in of_group["1"]} == {
        f"{OTHER}/0.png",
        f"{SCRIPT}/copy.png",
        f"{OTHER}/mirrored.png",
    }
    assert all(row["path"].startswith(f"{row['class']}/") for row in rows)
    pair = {f"{OTHER}/0.png", f"{SCRIPT}/copy.png"}
    first, again = (row for row in of_group["1"] if row["path"] in pair)
    assert again["relation"] == f"same bytes as {first['record']}"
    relations = [row["relation"] for row in of_group["1"]]
    assert relations[0] == "first" and "mirrored" in relations
    assert [row["relation"] for row in of_group["3"]] == ["first", "near", "near", "near"]
    records = [int(row["record"]) for row in rows]
    assert len(set(records)) == 9


def test_exact_finds_the_same_bytes_alone(doubled: Path) -> None:
    result = run("duplicates", doubled, "--exact")
    assert "2 of 10 images are in 1 groups of the same bytes; 1 of the groups" in result.stdout
    refused = run("duplicates", doubled, "--exact", "--distance", 3)
    assert refused.exit_code == 2 and "takes no --distance" in refused.stderr


def test_the_distance_decides(doubled: Path) -> None:
    assert run("duplicates", doubled, "--distance", 17).exit_code == 2
    result = run("duplicates", doubled, "--distance", 0, "--workers", 1)
    assert f"{OTHER}/0.png" in result.stdout and f"{SCRIPT}/copy.png" in result.stdout


def test_what_is_not_printed_is_told(doubled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_GROUPS_SHOWN", 1)
    monkeypatch.setattr(duplicates, "_RECORDS_SHOWN", 2)
    result = run("duplicates", doubled)
    assert "...  1 more\n... 2 more groups: --all prints them" in result.stdout
    everything = run("duplicates", doubled, "--all").stdout
    assert "more" not in everything and "\n3: 4 images\n" in everything


def test_the_page_shows_names_as_they_are(doubled: Path, tmp_path: Path) -> None:
    result = run("duplicates", doubled, "--page", tmp_path / "page.html")
    assert f"{tmp_path / 'page.html'}: 3 of 3 groups." in result.stdout
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    shown = Shown(text)
    assert shown.tags.count("script") == 1, "the frame's own"
    assert shown.tags.count("b") == 9  # the classes, not what a path says
    assert shown.text.count(SCRIPT) == 4  # the class and the path of two records
    assert "other<b>.jpg" in shown.text and OTHER in shown.text
    words = " ".join(shown.text.split())
    assert "9 of 10 images are in 3 groups. 2 of the groups span classes" in words
    assert shown.tags.count("section") == 3 and len(shown.pictures) == 9
    for found in shown.pictures:
        assert found["loading"] == "lazy"
        kind, data = str(found["src"]).split(",")
        assert kind == "data:image/jpeg;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.size == (96, 80)
    assert not re.search(r"https?:", text)


def test_the_page_says_what_it_has_no_room_for(
    doubled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates_page, "MOST_THUMBNAILS", 5)
    monkeypatch.setattr(duplicates_page, "_MOST_OF_A_GROUP", 2)
    result = run("duplicates", doubled, "--page", tmp_path / "page.html")
    assert "2 of 3 groups; 1 more have no room there." in result.stdout
    shown = Shown((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert len(shown.pictures) == 4
    assert "1: 3 images in 2 classes" in shown.text and "1 more" in shown.text
    assert "room for the first 2 groups" in shown.text


def test_a_pack_without_duplicates(tmp_path: Path) -> None:
    pack = fastload.pack(write_photos(tmp_path / "photos", {"a": 9, "b": 6}), workers=2).path
    result = run("duplicates", pack, "--page", tmp_path / "page.html")
    assert result.exit_code == 0
    assert "no two of 15 images show the same." in result.stdout
    assert Shown((tmp_path / "page.html").read_text(encoding="utf-8")).pictures == []


def test_images_without_classes(doubled: Path, tmp_path: Path) -> None:
    shutil.copytree(doubled.with_suffix(""), tmp_path / "photos")
    pack = fastload.pack(tmp_path / "photos", unlabelled=True, workers=2).path
    files = ("--page", tmp_path / "page.html", "--csv", tmp_path / "all.csv")
    result = run("duplicates", pack, *files)
    assert result.exit_code == 0, result.output
    assert "  first" in result.stdout and f"  {OTHER}/q0.jpg\n" in result.stdout
    last = f"{pack}: 9 of 10 images are in 3 groups that show the same."
    assert result.stdout.splitlines()[-1] == last
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        assert {row["class"] for row in csv.DictReader(file)} == {""}
    shown = Shown((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert "b" not in shown.tags and len(shown.pictures) == 9


def test_no_duplicates_are_told_in_words(small_pack: Path) -> None:
    result = run("duplicates", small_pack, "--exact")
    assert result.stdout == f"{small_pack}: no two of 22 images have the same bytes.\n"


@pytest.mark.parametrize("option", ["--page", "--csv"])
def test_a_missing_folder_is_told_before_the_work(
    doubled: Path, tmp_path: Path, option: str
) -> None:
    result = run("duplicates", doubled, option, tmp_path / "nowhere" / "file")
    assert result.exit_code == 2 and not result.stdout
    assert f"there is no folder {tmp_path / 'nowhere'}" in result.stderr


@pytest.mark.parametrize("option", ["--page", "--csv"])
def test_a_full_disk_is_told_with_the_file(doubled: Path, option: str) -> None:
    result = run("duplicates", doubled, option, "/dev/full")
    assert result.exit_code == 1
    assert "/dev/full cannot be written (No space left on device)" in result.stderr


def test_a_browser_shows_the_page_and_says_nothing(
    doubled: Path, tmp_path: Path, browser: Browser
) -> None:
    run("duplicates", doubled, "--page", tmp_path / "page.html")
    said: list[str] = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme, viewport={"width": 400, "height": 800})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((tmp_path / "page.html").as_uri())
        assert page.locator("section img").count() == 9
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        page.close()
    assert said == []
