"""From a folder of images to a submission, on a long tail: 19 classes, 1,405 images down to 3.

The pictures are drawn here, 640 x 620: walls and what is wrong with them, each class with a shape
and a colour of its own, one with a comma in its name. Then the first commands of docs/training.md
run as they stand there, but for a small model and one epoch: pack, split, train five folds, report,
predict with test-time augmentation. The submission is checked row by row. All lies in
long-tail-data/; a second run finds the pictures there and trains anew.

    python examples/long_tail.py --share 0.1
"""

from __future__ import annotations

import argparse
import csv
import re
import shlex
import shutil
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from fastload.cpus import usable_cpus

COUNTS = {
    "훼손": 1405,
    "오염": 595,
    "걸레받이수정": 307,
    "꼬임": 210,
    "터짐": 162,
    "곰팡이": 145,
    "오타공": 142,
    "몰딩수정": 130,
    "면불량": 99,
    "석고수정": 57,
    "들뜸": 54,
    "피스": 51,
    "창틀,문틀수정": 27,
    "울음": 22,
    "이음부불량": 17,
    "녹오염": 14,
    "가구수정": 12,
    "틈새과다": 5,
    "반점": 3,
}
FEWEST = 3  # images of a class, however small the share
TEST_SHARE = 0.1  # images without a label, for each class one at least
SIZE = (640, 620)
GRAIN = 4  # pixels that a dot of the drawing has a side: PNG stays small and quick
COLOURS = ((190, 30, 40), (30, 60, 170), (20, 110, 50))
PAGE = Path(__file__).resolve().parents[1] / "docs" / "training.md"
SMALL_RUN = shlex.split("--model tiny --image-size 64 --epochs 1 --batch-size 16 --lr 0.003")

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Mark:
    """A flaw in the wall: where it is, how large, how it is turned, of what colour.

    Attributes:
        x, y, radius: in dots of the drawing.
        angle: in radians.
        colour: red, green, blue.
    """

    x: float
    y: float
    radius: float
    angle: float
    colour: tuple[int, int, int]

    def at(self, *places: tuple[float, float]) -> Points:
        """Turn places around the mark, of -1 to 1, into dots."""
        cos, sin = np.cos(self.angle) * self.radius, np.sin(self.angle) * self.radius
        return [(self.x + u * cos - v * sin, self.y + u * sin + v * cos) for u, v in places]


def draw_blob(pen: ImageDraw.ImageDraw, mark: Mark) -> None:
    """Draw a filled disc."""
    pen.circle((mark.x, mark.y), mark.radius, fill=mark.colour)


def draw_ring(pen: ImageDraw.ImageDraw, mark: Mark) -> None:
    """Draw a circle."""
    pen.circle((mark.x, mark.y), mark.radius, outline=mark.colour, width=5)


def draw_scratches(pen: ImageDraw.ImageDraw, mark: Mark) -> None:
    """Draw three parallel lines."""
    for across in (-0.7, 0.0, 0.7):
        pen.line(mark.at((-1.4, across), (1.4, across)), fill=mark.colour, width=4)


def draw_cross(pen: ImageDraw.ImageDraw, mark: Mark) -> None:
    """Draw two bars across each other."""
    for bar in (((-1, 0), (1, 0)), ((0, -1), (0, 1))):
        pen.line(mark.at(*bar), fill=mark.colour, width=9)


def draw_zigzag(pen: ImageDraw.ImageDraw, mark: Mark) -> None:
    """Draw a crack with six bends."""
    bends = [(place / 2 - 1.75, 0.6 * (-1) ** place) for place in range(8)]
    pen.line(mark.at(*bends), fill=mark.colour, width=4, joint="curve")


def draw_triangle(pen: ImageDraw.ImageDraw, mark: Mark) -> None:
    """Draw a filled triangle."""
    pen.polygon(mark.at((0, -1.2), (1, 0.8), (-1, 0.8)), fill=mark.colour)


def draw_speckles(pen: ImageDraw.ImageDraw, mark: Mark) -> None:
    """Draw nine dots in a square."""
    for u in (-1, 0, 1):
        for v in (-1, 0, 1):
            pen.circle(mark.at((u, v))[0], 4, fill=mark.colour)


SHAPES: tuple[Callable[[ImageDraw.ImageDraw, Mark], None], ...] = (
    draw_blob,
    draw_scratches,
    draw_ring,
    draw_zigzag,
    draw_triangle,
    draw_cross,
    draw_speckles,
)


def draw_picture(label: int, seed: tuple[int, ...]) -> Image.Image:
    """Draw a wall in uneven light with some flaws of a class on it.

    Args:
        label: of the class, which has a shape and a colour of its own.
        seed: another one, another picture.
    """
    draw = np.random.default_rng((label, *seed))
    columns, rows = (side // GRAIN for side in SIZE)
    light = draw.integers(120, 235, (4, 4, 1)) + draw.integers(-20, 21, 3)
    wall = Image.fromarray(light.astype(np.uint8))
    wall = wall.resize((columns, rows), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(wall)
    for _ in range(draw.integers(2, 5)):
        x, y = draw.uniform(0.15, 0.85, 2) * (columns, rows)
        colour = np.add(COLOURS[label // len(SHAPES)], draw.integers(-20, 21, 3)).clip(0, 255)
        mark = Mark(x, y, draw.uniform(14, 24), draw.uniform(0, 2 * np.pi), tuple(colour.tolist()))
        SHAPES[label % len(SHAPES)](pen, mark)
    noise = draw.normal(0, 6, (rows, columns, 1))
    pixels = (np.asarray(wall) + noise).clip(0, 255).astype(np.uint8)
    return Image.fromarray(pixels).resize(SIZE, Image.Resampling.NEAREST)


def drawings(share: float) -> Iterator[tuple[str, int, tuple[int, ...]]]:
    """Yield each picture's path below the data's folder, its label and its seed.

    The pictures to predict come in an order that tells nothing of their classes.
    """
    tested: list[tuple[int, int]] = []
    for label, (name, count) in enumerate(COUNTS.items()):
        for number in range(max(FEWEST, round(share * count))):
            yield f"train/{name}/{number:04}.png", label, (0, number)
        tested += [(label, one) for one in range(max(1, round(TEST_SHARE * share * count)))]
    np.random.default_rng(0).shuffle(tested)
    for place, (label, number) in enumerate(tested):
        yield f"test/TEST_{place:04}.png", label, (1, number)


def draw_data(folder: Path, share: float) -> None:
    """Write train/, test/, the sample submission, and the truth, which no command is given."""
    scratch = folder.with_name(folder.name + ".part")  # renamed when whole
    shutil.rmtree(scratch, ignore_errors=True)
    pictures = list(drawings(share))
    for path in {(scratch / path).parent for path, _, _ in pictures}:
        path.mkdir(parents=True)

    def write(picture: tuple[str, int, tuple[int, ...]]) -> None:
        path, label, seed = picture
        draw_picture(label, seed).save(scratch / path, compress_level=1)

    with ThreadPoolExecutor(usable_cpus()) as pool:
        list(pool.map(write, pictures))
    tested = [(Path(path).stem, label) for path, label, _ in pictures if path.startswith("test/")]
    write_csv(scratch / "sample_submission.csv", [(one, next(iter(COUNTS))) for one, _ in tested])
    write_csv(scratch / "truth.csv", [(one, list(COUNTS)[label]) for one, label in tested])
    scratch.rename(folder)


def write_csv(path: Path, rows: list[tuple[str, str]]) -> None:
    """Write rows under the header of a submission."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("id", "label"), *rows])


def commands_of(page: Path) -> list[list[str]]:
    """Read the commands under the page's first heading of the second level."""
    section = page.read_text(encoding="utf-8").split("\n## ")[1]
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    text = "".join(blocks).replace("\\\n", " ")
    return [shlex.split(line, comments=True) for line in text.splitlines() if line]


def run(command: list[str], folder: Path) -> None:
    """Run a command of the page with this Python, showing what a user would type."""
    training = command[1:4] == ["-m", "train_ref", "fit"]
    command = command + SMALL_RUN if training else command
    print(f"\n$ {shlex.join(command)}", flush=True)
    program = {"fastload": ["-m", "fastload.cli"], "python": []}[command[0]]
    start = time.perf_counter()
    subprocess.run([sys.executable, *program, *command[1:]], check=True, cwd=folder)
    print(f"({time.perf_counter() - start:.1f} s)", flush=True)


def check_submission(folder: Path) -> float:
    """Check names and rows of the submission.

    Returns:
        The share of its answers that are right.
    """
    text = (folder / "submission.csv").read_text(encoding="utf-8")
    assert '"창틀,문틀수정"' in text.splitlines()[0], "a name with a comma is quoted"
    header, *rows = csv.reader(text.splitlines())
    assert header[:2] == ["id", "label"]
    assert sorted(header[2:]) == sorted(COUNTS)
    assert text == unicodedata.normalize("NFC", text)
    with (folder / "data" / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = list(csv.reader(file))[1:]
    assert [row[0] for row in rows] == [one for one, _ in truth], "the rows of the sample"
    for row in rows:
        shares = dict(zip(header[2:], map(float, row[2:]), strict=True))
        assert shares[row[1]] == max(shares.values())
        assert abs(sum(shares.values()) - 1) < 1e-4
    return float(np.mean([row[1] == label for row, (_, label) in zip(rows, truth, strict=True)]))


def main() -> None:
    """Do all of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the images of each class")
    parser.add_argument("--folder", type=Path, default=Path("long-tail-data"))
    given = parser.parse_args()
    data = given.folder / "data"
    if data.is_dir():
        print(f"The pictures are in {data}/ from last time.")
    else:
        print(f"Drawing pictures into {data}/ ...", flush=True)
        given.folder.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        draw_data(data, given.share)
        print(f"({time.perf_counter() - start:.1f} s)")
    shutil.rmtree(given.folder / "runs", ignore_errors=True)
    for command in commands_of(PAGE):
        run(command, given.folder)
    right = check_submission(given.folder)
    print(f"\n{given.folder}/submission.csv: right names, right rows, {right:.1%} right answers.")


if __name__ == "__main__":
    main()
