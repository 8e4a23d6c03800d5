"""All of it, one part after the other, and the page that comes of it."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

import fastload
from benchmarks.trainer import recipes, resuming, waiting
from fastload.measure.machine import this_machine

PAGE = Path(__file__).resolve().parents[1] / "train_ref.md"
PARTS = ("recipes", "waiting", "resuming")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for, and write the page where all of it was run."""
    asked = _parser().parse_args(arguments)
    texts: dict[str, str] = {}
    commit = _commit()  # as it is now: the page itself may change it
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        tiles, photos = (_packed(folder, root) for folder in (asked.tiles, asked.photos))
        run: dict[str, Callable[[Path], str]] = {
            "recipes": lambda out: recipes.run_recipes(tiles, out, asked.epochs, asked.seeds),
            "waiting": lambda out: waiting.run_waiting(asked.photos, photos, out, asked.seeds),
            "resuming": lambda out: resuming.run_resuming(tiles, out),
        }
        for part in asked.parts:
            out = root / part
            out.mkdir()
            texts[part] = run[part](out)
            print(texts[part], flush=True)
    if set(texts) == set(PARTS):
        asked.out.write_text(_page(asked, texts, commit))
        print(f"written: {asked.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trainer", description=__doc__)
    parser.add_argument("tiles", type=Path, help="label folder of the magnetic tiles")
    parser.add_argument("photos", type=Path, help="label folder of photos")
    parser.add_argument("--epochs", type=int, default=20, help="of each recipe")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--out", type=Path, default=PAGE)
    return parser


def _packed(folder: Path, root: Path) -> Path:
    return fastload.pack(folder, root / f"{folder.name}.pack").path


PAGE_TEXT = """\
# What the reference trainer reaches

Written by `python -m benchmarks.trainer TILES PHOTOS` on commit {commit}: {machine},
no GPU, torch {torch}. Means over the seeds {seeds}; ± is the standard deviation over these.

## Recipes for rare classes

TILES: {tiles}. Five folds that keep
near-duplicates together; each image validates once. Each run has one CPU to itself.

```sh
fastload pack TILES
python -m train_ref fit --data TILES.pack {recipe} --epochs {epochs} --seed SEED FLAGS
```

{recipes}

"As trained" answers with the largest logit. tau moves the logits by the classes' shares; "of other
images": each fifth of a fold's validation images is scored with the tau that is best on its other
four fifths.

## Waiting for data

PHOTOS: {photos}. ResNet-18 at
128 pixels; all entrants take turns.

```sh
fastload pack PHOTOS
python -m train_ref fit --data PHOTOS.pack {waits} --seed SEED
python -m benchmarks.trainer.by_image_folder PHOTOS WORKERS fit --data PHOTOS.pack ...
```

{waiting}

## Exact resume

```sh
python -m train_ref fit --data TILES.pack {resumes} --name killed
kill -9 ...
python -m train_ref fit --resume runs/killed
```

{resuming}

## From a folder to a submission

`python examples/long_tail.py` draws 19 classes of 1,405 images down to 3, runs the commands of
[docs/training.md](../docs/training.md) on them and checks the submission row by row; the tests run
it at a tenth of the counts.
"""


def _page(asked: argparse.Namespace, texts: dict[str, str], commit: str) -> str:
    return PAGE_TEXT.format(
        commit=commit,
        machine=this_machine(),
        torch=torch.__version__,
        seeds=", ".join(map(str, asked.seeds)),
        epochs=asked.epochs,
        tiles=_counts(asked.tiles),
        photos=_counts(asked.photos),
        recipe=recipes.MODEL,
        waits=waiting.SETTINGS,
        resumes=resuming.SETTINGS,
        **texts,
    )


def _counts(folder: Path) -> str:
    counts = sorted(len(list(one.iterdir())) for one in folder.iterdir() if one.is_dir())
    return (
        f"{sum(counts):,} images of {len(counts)} classes, {counts[-1]:,} in the largest and "
        f"{counts[0]:,} in the smallest"
    )


def _commit() -> str:
    words = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(words, capture_output=True, text=True, cwd=PAGE.parent).stdout.strip()
