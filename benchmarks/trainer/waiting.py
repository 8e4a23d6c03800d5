"""Time waiting for data, and the same run with ImageFolder, both in turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from benchmarks.trainer.fitting import Fit, fit

EPOCHS = 2
SETTINGS = (
    "--model resnet18 --no-pretrained --image-size 128 --device cpu --batch-size 32 "
    f"--epochs {EPOCHS}"
)
WORKERS = (0, 1, 2)
PROMISE = 0.03


def run_waiting(photos: Path, pack: Path, out: Path, seeds: Sequence[int]) -> str:
    """Run both for each seed and return their table as Markdown."""
    runs: dict[str, list[Fit]] = {}
    for seed in seeds:
        for name, program in _entrants(photos).items():
            settings = f"{SETTINGS} --seed {seed}"
            flags = ["--data", str(pack), *settings.split()]
            run = fit(out, f"{name.replace(' ', '-')}-{seed}", flags, program)
            runs.setdefault(name, []).append(run)
            print(f"{name}, seed {seed}: {_waited(run):.2%} of {_trained(run):.0f} s", flush=True)
    head = [
        "| loader | seconds of the epochs | of these waiting for data | CPU seconds of the run |",
        "|---|--:|--:|--:|",
    ]
    rows = [_row(name, some) for name, some in runs.items()]
    waited = mean(map(_waited, runs["fastload"]))
    verdict = "held" if waited < PROMISE else "missed"
    return "\n".join([*head, *rows, "", f"Promised: under {PROMISE:.0%} with fastload: {verdict}."])


def _entrants(photos: Path) -> dict[str, tuple[str, ...]]:
    folder = ("-m", "benchmarks.trainer.by_image_folder", str(photos))
    others = {f"ImageFolder, {count} workers": (*folder, str(count)) for count in WORKERS}
    return {"fastload": ("-m", "train_ref"), **others}


def _trained(run: Fit) -> float:
    return float(sum(epoch["seconds"] for epoch in run.epochs()))


def _waited(run: Fit) -> float:
    waited = sum(epoch["seconds"] * epoch["data_wait"] for epoch in run.epochs())
    return float(waited / _trained(run))


def _row(name: str, runs: list[Fit]) -> str:
    trained = [_trained(run) for run in runs]
    waited = [_waited(run) for run in runs]
    spent = mean(run.cpu_seconds for run in runs)
    return (
        f"| {name} | {mean(trained):.1f} ({min(trained):.1f}-{max(trained):.1f}) "
        f"| {mean(waited):.2%} ({min(waited):.2%}-{max(waited):.2%}) | {spent:.0f} |"
    )
