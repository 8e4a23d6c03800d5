"""The command: parity, then the table.

It goes to ``benchmarks/results/gpu.json`` and ``gpu.md`` with the hardware's name. ``--dry`` runs
every row on the CPU over the photos given, to try the program: it prints what ran, and no figure.
Without a GPU the program tries nothing and ends with code 2.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import torchvision

import fastload
from benchmarks.gpu import dali_reader, fastload_engines, torchvision_decoder
from benchmarks.gpu.entrant import Entrant
from benchmarks.gpu.measuring import Row, rows
from benchmarks.gpu.parity import check_parity
from benchmarks.gpu.report import as_json, as_markdown, trial_lines
from benchmarks.gpu.setting import Setting, pack_all

RESULTS = Path(__file__).parents[1] / "results"


def entrants(sweep: list[int]) -> list[Entrant]:
    """All of them."""
    return [
        *torchvision_decoder.entrants(),
        *dali_reader.entrants(sweep),
        *fastload_engines.entrants(sweep),
    ]


def run(
    photos: Path, sweep: list[int], device: torch.device, batch: int, side: int, epochs: int
) -> list[Row]:
    """Check parity, then measure; packs are made aside."""
    with tempfile.TemporaryDirectory() as folder:
        packs = pack_all(photos, Path(folder))
        setting = Setting(photos, packs, device, batch, side, epochs)
        print(f"{check_parity(setting)} images are the same on {device} and on the CPU")
        return list(rows(setting, entrants(sweep)))


def machine() -> dict[str, Any]:
    """What the figures were measured with."""
    return {
        "GPU": torch.cuda.get_device_name(),
        "CPUs": len(os.sched_getaffinity(0)),
        "fastload": fastload.__version__,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "CUDA": torch.version.cuda,
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 2 where there is no GPU."""
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description="Measure loading on a GPU.")
    parser.add_argument("photos", type=Path, help="a label folder of JPEG files")
    parser.add_argument("--dry", action="store_true", help="on the CPU, to try the program")
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 4, 8, 16])
    given = parser.parse_args(arguments)
    if given.dry:
        made = run(given.photos, [1], torch.device("cpu"), batch=4, side=32, epochs=1)
        print("A trial on the CPU, without figures:", *trial_lines(made), sep="\n")
        return 0
    if not torch.cuda.is_available():
        print("There is no CUDA GPU here: nothing was measured.", file=sys.stderr)
        return 2
    made = run(given.photos, given.threads, torch.device("cuda"), batch=256, side=224, epochs=5)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "gpu.md").write_text(as_markdown(machine(), made))
    (RESULTS / "gpu.json").write_text(as_json(machine(), made))
    print((RESULTS / "gpu.md").read_text())
    return 0
