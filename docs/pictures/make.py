"""The screenshots of docs/viewing.md, made anew: drawings packed, viewed and photographed.

    python -m docs.pictures.make

It needs Chromium and the package playwright. The pictures are drawn by examples/long_tail.py; some
are cut to other sizes, some are copied into another class, two files are broken.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from examples.long_tail import COUNTS, FEWEST, draw_picture

SHARE = 0.35
SIZES = ((640, 620), (640, 480), (480, 620), (512, 512), (360, 620), (600, 300))
# Of a palette: what is drawn has few.
COLOURS = 128


def write_folder(folder: Path) -> None:
    """Write the label folder of a long tail, with what goes wrong in real ones."""
    draw = np.random.default_rng(0)
    for label, (name, count) in enumerate(COUNTS.items()):
        (folder / name).mkdir(parents=True)
        for number in range(max(FEWEST, round(SHARE * count))):
            picture = draw_picture(label, (2, number))
            width, height = SIZES[min(int(draw.exponential(1.2)), len(SIZES) - 1)]
            factor = draw.choice([1, 1, 0.75, 0.5])
            picture = picture.crop((0, 0, width, height))
            picture = picture.resize((round(width * factor), round(height * factor)))
            picture.save(folder / name / f"{number:04}.jpg", quality=90)
    first, second, *_ = COUNTS
    for number in range(3):
        original = folder / first / f"{number:04}.jpg"
        shutil.copy(original, folder / second / f"copy-{number}.jpg")
        with Image.open(original) as image:
            image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(
                folder / first / f"{number:04}-mirrored.jpg"
            )
    (folder / first / "cut-off.jpg").write_bytes(original.read_bytes()[:200])
    (folder / second / "notes.png").write_text("not an image")


def fastload(*arguments: str, folder: Path) -> None:
    """Run a command of fastload's."""
    subprocess.run([sys.executable, "-m", "fastload.cli", *arguments], cwd=folder, check=True)


def photograph(
    browser: Browser, page_file: Path, name: str, section: str, **context: object
) -> None:
    """Open a page and write what is seen of a section, in few colours."""
    page = browser.new_page(**context)  # type: ignore[arg-type]
    page.goto(page_file.as_uri())
    if section == "open":
        page.locator(".class button").nth(4).click()
        page.locator("#classes").evaluate("(one) => one.scrollIntoView({behavior: 'instant'})")
    elif section:
        page.locator(f"#{section}").evaluate("(one) => one.scrollIntoView({behavior: 'instant'})")
    page.wait_for_timeout(1000)  # Pictures appear as they come near.
    target = Path(__file__).with_name(f"{name}.png")
    page.screenshot(path=target)
    page.close()
    with Image.open(target) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target}: {target.stat().st_size:,} bytes")


def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = Path(scratch)
        write_folder(folder / "walls")
        fastload("pack", "walls", folder=folder)
        shutil.copy(Path(__file__).with_name("strong.py"), folder)
        fastload("view", "walls.pack", "--transform", "strong.py:transform", folder=folder)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        wide = {"viewport": {"width": 1200, "height": 860}}
        small = {"viewport": {"width": 400, "height": 860}}
        page = folder / "walls.view.html"
        for name, section, context in (
            ("view-classes", "", {**wide, "color_scheme": "light"}),
            ("view-sheet", "open", {**wide, "color_scheme": "dark"}),
            ("view-model", "model", {**wide, "color_scheme": "light"}),
            ("view-small", "classes", {**small, "color_scheme": "dark"}),
        ):
            photograph(browser, page, name, section, **context)
        browser.close()


if __name__ == "__main__":
    main()
