"""Measures loading on a GPU: ``python -m benchmarks.gpu PHOTOS [--dry]``.

First the native engine's pixels on the GPU are held against those on the CPU, bit for bit. Then a
table is made: torchvision's decoder on the GPU, and the native engine on `jpeg` and `dct` packs,
without a cache and with a warm one, alone and with a ResNet-18 bf16 training step. It goes to
``benchmarks/results/gpu.json`` and ``gpu.md`` with the hardware's name. ``--dry`` runs the same
rows on the CPU on the photos given, to try the program itself; it writes to standard output alone.
Without a GPU the program tries itself so and ends with code 2.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torchvision
from torchvision.transforms import v2

import fastload

RESULTS = Path(__file__).parent / "results"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
REPEATS = 5


@dataclass(frozen=True)
class Row:
    """One line of the table: images a second, or why it is missing."""

    name: str
    threads: int
    trained: bool
    images_per_second: float | None
    idle: float | None
    reason: str = ""


@dataclass(frozen=True)
class Setting:
    """What all rows share."""

    packs: dict[str, Path]
    photos: Path
    device: torch.device
    batch: int
    side: int

    def transform(self) -> Any:
        """What every row does to an image."""
        return v2.Compose(
            [
                v2.RandomResizedCrop(self.side),
                v2.RandomHorizontalFlip(),
                v2.ToImage(),
                v2.ToDtype(torch.bfloat16, scale=True),
                v2.Normalize(MEAN, STD),
            ]
        )

    def wait(self) -> None:
        """Until the device has done all that was begun."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def loader(setting: Setting, codec: str, threads: int, device: Any, cache: Any) -> Any:
    dataset = fastload.ImageFolder(setting.packs[codec], setting.transform())
    return fastload.DataLoader(
        dataset,
        setting.batch,
        shuffle=True,
        engine="native",
        seed=0,
        num_workers=threads,
        device=device,
        cache=cache,
    )


def check_parity(setting: Setting) -> int:
    """Images that are the same on the device and on the CPU; raises where one is not."""
    checked = 0
    for codec in setting.packs:
        pair = [loader(setting, codec, 2, device, 0) for device in (setting.device, None)]
        for (made, _), (wanted, _) in zip(*pair, strict=True):
            if not torch.equal(made.cpu(), wanted):
                raise SystemExit(f"{codec}: pixels on {setting.device} are not those on the CPU")
            checked += len(made)
        for one in pair:
            one.close()
    return checked


def training_step(setting: Setting) -> Callable[[torch.Tensor], None]:
    model: torch.nn.Module = torchvision.models.resnet18()
    if setting.device.type == "cpu":  # a trial: ResNet-18 takes seconds a step there
        layers = torch.nn.Conv2d(3, 4, 3, 2), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
        model = torch.nn.Sequential(*layers, torch.nn.Linear(4, 10))
    model = model.to(setting.device, torch.bfloat16)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)

    def step(images: torch.Tensor) -> None:
        optimiser.zero_grad()
        targets = torch.zeros(len(images), dtype=torch.int64, device=images.device)
        torch.nn.functional.cross_entropy(model(images), targets).backward()
        optimiser.step()

    return step


def measured(setting: Setting, batches: Callable[[], Iterator[torch.Tensor]], trained: bool) -> Any:
    """Median images a second over epochs, and the share of time that the steps alone leave free."""
    step = training_step(setting) if trained else None
    first = next(iter(batches()))
    for images in batches():  # fills the cache and compiles
        if step is not None:
            step(images)
    setting.wait()
    start = time.perf_counter()
    for _ in range(REPEATS if step is not None else 0):
        step(first)
    setting.wait()
    alone = (time.perf_counter() - start) / (REPEATS * len(first))
    rates = []
    for _ in range(REPEATS if setting.device.type == "cuda" else 1):
        start, count = time.perf_counter(), 0
        for images in batches():
            count += len(images)
            if step is not None:
                step(images)
        setting.wait()
        rates.append(count / (time.perf_counter() - start))
    rate = statistics.median(rates)
    return rate, max(0.0, 1 - alone * rate) if trained else None


def torchvision_batches(setting: Setting) -> Iterator[torch.Tensor]:
    files = sorted(setting.photos.rglob("*.jp*g"))
    cut = v2.Compose(setting.transform().transforms[:2])
    finish = v2.Compose(setting.transform().transforms[3:])
    for first in range(0, len(files), setting.batch):
        raw = [torchvision.io.read_file(str(path)) for path in files[first : first + setting.batch]]
        rgb = torchvision.io.ImageReadMode.RGB
        if setting.device.type == "cuda":
            images = torchvision.io.decode_jpeg(raw, mode=rgb, device=setting.device)
        else:
            images = [torchvision.io.decode_jpeg(one, mode=rgb) for one in raw]
        yield finish(torch.stack([cut(image) for image in images]))


def rows(setting: Setting, sweep: list[int]) -> Iterator[Row]:
    for trained in (False, True):
        try:
            rate, idle = measured(setting, lambda: torchvision_batches(setting), trained)
            yield Row("torchvision.io.decode_jpeg", 1, trained, rate, idle)
        except RuntimeError as error:  # a torchvision that was built without the GPU's decoder
            yield Row("torchvision.io.decode_jpeg", 1, trained, None, None, str(error))
        for threads in sweep:
            for codec in setting.packs:
                for cache in (0, "8GB"):
                    made = loader(setting, codec, threads, setting.device, cache)
                    rate, idle = measured(
                        setting,
                        lambda made=made: (images.to(setting.device) for images, _ in made),
                        trained,
                    )
                    made.close()
                    name = f"fastload native, {codec}, {'cached' if cache else 'cold'}"
                    yield Row(name, threads, trained, rate, idle)


def as_markdown(hardware: str, made: list[Row]) -> str:
    lines = [hardware, "", "| loader | threads | step | images/s | idle |", "|---|---|---|---|---|"]
    for row in made:
        rate = row.reason if row.images_per_second is None else f"{row.images_per_second:.0f}"
        idle = "" if row.idle is None else f"{row.idle:.1%}"
        step = "ResNet-18" if row.trained else ""
        lines.append(f"| {row.name} | {row.threads} | {step} | {rate} | {idle} |")
    return "\n".join(lines) + "\n"


def run(photos: Path, device: torch.device, batch: int, side: int, sweep: list[int]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        packs = {
            codec: fastload.pack(photos, Path(folder) / f"{codec}.pack", codec=codec).path
            for codec in ("jpeg", "dct")
        }
        setting = Setting(packs, photos, device, batch, side)
        print(f"{check_parity(setting)} images are the same on {device} and on the CPU")
        return list(rows(setting, sweep))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, help="a label folder of JPEG files")
    parser.add_argument("--dry", action="store_true", help="on the CPU, to try the program")
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 4, 8, 16])
    given = parser.parse_args(arguments)
    if given.dry or not torch.cuda.is_available():
        made = run(given.photos, torch.device("cpu"), batch=4, side=32, sweep=[1])
        print(as_markdown("the CPU, a trial: no figures to compare", made))
        if given.dry:
            return 0
        print("There is no CUDA GPU here: nothing was measured.", file=sys.stderr)
        return 2
    hardware = torch.cuda.get_device_name()
    made = run(given.photos, torch.device("cuda"), batch=256, side=224, sweep=given.threads)
    RESULTS.mkdir(exist_ok=True)
    table = as_markdown(hardware, made)
    (RESULTS / "gpu.md").write_text(table)
    described = {"hardware": hardware, "rows": [asdict(row) for row in made]}
    (RESULTS / "gpu.json").write_text(json.dumps(described, indent=1))
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
