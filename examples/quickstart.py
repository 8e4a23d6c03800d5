"""The main job on a small label folder: pack, verify, one epoch each of torchvision and fastload.

The photos are cut out of the two that scikit-learn ships. All lies in quickstart-data/ of the
current folder; a second run finds it there. `make quickstart` runs this after installing all.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
import torch.utils.data
import torchvision.datasets
from PIL import Image
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_sample_images
from torchvision import transforms

import fastload
from fastload.cpus import usable_cpus

FOLDER = Path("quickstart-data")
PHOTOS, PACK = FOLDER / "photos", FOLDER / "photos.pack"
PER_CLASS = 500
SIDES = (220, 420)  # pixels; the two photos are 640 wide and 427 high
CPUS = usable_cpus()  # as many workers as threads: fewer than the machine has, in a container

TRANSFORM = transforms.Compose(
    [
        transforms.RandomResizedCrop(224),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    ]
)

Batches = Iterable[tuple[torch.Tensor, torch.Tensor]]


def cut_photos() -> None:
    """Write PER_CLASS JPEG files for each of the two photos, which become the classes."""
    samples = load_sample_images()
    draw = np.random.default_rng(0)
    scratch = FOLDER / "photos.part"  # renamed when whole, so that an interrupted run starts again
    for name, pixels in zip(samples.filenames, samples.images, strict=True):
        photo = Image.fromarray(pixels)
        folder = scratch / Path(name).stem
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(PER_CLASS):
            width, height = (int(side) for side in draw.integers(*SIDES, size=2))
            left = int(draw.integers(photo.width - width + 1))
            top = int(draw.integers(photo.height - height + 1))
            cut = photo.crop((left, top, left + width, top + height))
            cut.save(folder / f"{number:04}.jpg", quality=92)
    scratch.rename(PHOTOS)


def run(*arguments: str) -> None:
    """Run fastload's command line, showing what a user would type."""
    print(f"\n$ fastload {shlex.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "fastload.cli", *arguments], check=True)


def images_per_second(loader: Batches) -> float:
    """Serve one whole epoch, the start of the workers in it."""
    start = time.perf_counter()
    images = sum(len(labels) for _, labels in loader)
    return images / (time.perf_counter() - start)


def torchvision_epoch() -> float:
    """Measure ImageFolder and torch's DataLoader with a worker a CPU."""
    dataset = torchvision.datasets.ImageFolder(str(PHOTOS), TRANSFORM)
    return images_per_second(
        torch.utils.data.DataLoader(dataset, batch_size=128, shuffle=True, num_workers=CPUS)
    )


def fastload_epoch() -> float:
    """Measure the same with fastload's two names."""
    dataset = fastload.ImageFolder(str(PACK), TRANSFORM)
    return images_per_second(
        fastload.DataLoader(dataset, batch_size=128, shuffle=True, num_workers=CPUS)
    )


def show(rates: dict[str, float]) -> None:
    """Print the images/s and how many times the first row's they are."""
    table = Table(title=f"One epoch, {2 * PER_CLASS:,} photos, {CPUS} CPUs")
    table.add_column("loader")
    table.add_column("images/s", justify="right")
    table.add_column("times", justify="right")
    first = next(iter(rates.values()))
    for name, rate in rates.items():
        table.add_row(name, f"{rate:,.0f}", f"{rate / first:.1f}")
    console = Console()
    console.print()
    console.print(table)
    console.print(f"The pack lies in {PACK.resolve()}", soft_wrap=True)


def main() -> None:
    """Do all of it."""
    if PHOTOS.is_dir():
        print(f"The photos are in {PHOTOS}/ from last time.")
    else:
        print(f"Cutting {2 * PER_CLASS:,} photos into {PHOTOS}/ ...")
        cut_photos()
    run("pack", str(PHOTOS), "-o", str(PACK))
    run("verify", str(PACK))
    show(
        {
            "torchvision ImageFolder + DataLoader": torchvision_epoch(),
            "fastload ImageFolder + DataLoader": fastload_epoch(),
        }
    )


if __name__ == "__main__":
    main()
