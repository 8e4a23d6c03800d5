"""A run that is killed, twice, and goes on, against one that nobody disturbs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.trainer.fitting import TRAINER, fit
from train_ref.run_folder import MetricLog, RunFolder

SETTINGS = (
    "--model small_resnet --no-pretrained --device cpu --epochs 3 --batch-size 32 --dropout 0.2 "
    "--ema 0.9 --mixup 0.2 --augment randaugment --balance class --save-every 7"
)
KILLED_AT = (25, 60)
"""Steps after which it is killed, wherever it is by then."""


def run_resuming(pack: Path, out: Path) -> str:
    """Return what is the same of both, in a sentence.

    Raises:
        AssertionError: something is not.
    """
    flags = ["--data", str(pack), *SETTINGS.split()]
    whole = fit(out, "undisturbed", flags).folder
    killed = out / "killed"
    command = [*flags, "--out", str(out), "--name", "killed"]
    for step in KILLED_AT:
        _kill_at(step, command, killed)
        command = ["--resume", str(killed)]
    subprocess.run([sys.executable, *TRAINER, "fit", *command], check=True, capture_output=True)
    one, other = (_figures(folder) for folder in (whole, killed))
    assert one == other, "the figures differ"
    steps = sum(line["kind"] == "step" for line in one)
    return (
        f"Killed with SIGKILL behind steps {' and '.join(map(str, KILLED_AT))} of {steps} and gone "
        f"on with `--resume`: all {len(one)} lines of figures (losses, gradient norms, learning "
        "rates, metrics) are those of the undisturbed run, to the last digit."
    )


def _kill_at(step: int, arguments: list[str], folder: Path) -> None:
    process = subprocess.Popen([sys.executable, *TRAINER, "fit", *arguments], stderr=-3, stdout=-3)
    while _reached(folder) < step:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _reached(folder: Path) -> int:
    steps = [line["step"] for line in MetricLog(RunFolder(folder).metrics) if "step" in line]
    return max(steps, default=0)


def _figures(folder: Path) -> list[dict[str, object]]:
    """All but what a clock says."""
    clock = ("seconds", "images_per_second", "data_wait")
    return [
        {name: value for name, value in line.items() if name not in clock}
        for line in MetricLog(RunFolder(folder).metrics)
    ]
