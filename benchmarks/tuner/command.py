"""Both entrants, one after the other."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.photos import describe
from benchmarks.tuner.entrants import BATCH, Entrant, folder, pack
from benchmarks.tuner.outcome import HEAD, compare
from fastload.measure.machine import this_machine
from fastload.presets import PRESETS

ENTRANTS = ("folder", "pack")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for, and print the table."""
    asked = _parser().parse_args(arguments)
    machine = this_machine()
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = [
            compare(_entrant(name, asked, Path(scratch)), asked.rounds) for name in asked.entrants
        ]
    rows = [row for outcome in outcomes for row in outcome.rows()]
    print(f"\n{describe(asked.photos, asked.photos.name)}; {PRESETS['train']}, batches of {BATCH}.")
    print(f"{machine}, torch {torch.__version__}.\n")
    print("\n".join([HEAD, *rows, "", *(outcome.verdict() for outcome in outcomes)]))
    return 0


def _entrant(name: str, asked: argparse.Namespace, scratch: Path) -> Entrant:
    if name == "folder":
        return folder(asked.photos, asked.seconds)
    return pack(asked.photos, scratch / "photos.pack", asked.seconds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tuner", description=__doc__)
    parser.add_argument("photos", type=Path, help="label folder of photos")
    parser.add_argument("--rounds", type=int, default=3, help="over the grid")
    parser.add_argument("--seconds", type=float, default=2.0, help="of a window, of both")
    parser.add_argument("--entrants", nargs="+", choices=ENTRANTS, default=ENTRANTS)
    return parser
