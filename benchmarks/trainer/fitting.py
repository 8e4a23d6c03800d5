"""Runs of ``train_ref fit`` as a user starts them, and what their folders say."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train_ref.run_folder import MetricLog, RunFolder

TRAINER = ("-m", "train_ref")


@dataclass(frozen=True)
class Fit:
    """A run that is through.

    Attributes:
        folder: its own, or that of its folds.
        seconds: from start to end.
        cpu_seconds: of all its threads and processes.
    """

    folder: Path
    seconds: float
    cpu_seconds: float

    def folds(self) -> list[list[dict[str, Any]]]:
        """The figures of each run within, in the order in which they came."""
        within = sorted(self.folder.glob("fold*")) or [self.folder]
        return [list(MetricLog(RunFolder(run).metrics)) for run in within]

    def final(self, figure: str, metric: str) -> list[float]:
        """A figure of the last line of each run within, such as its scores' macro F1."""
        return [lines[-1][figure][metric] for lines in self.folds()]

    def epochs(self) -> list[dict[str, Any]]:
        """The figures of all epochs."""
        return [line for lines in self.folds() for line in lines if line["kind"] == "epoch"]


def fit(
    out: Path,
    name: str,
    arguments: list[str],
    program: tuple[str, ...] = TRAINER,
    cpus: tuple[int, ...] | None = None,
) -> Fit:
    """Run `fit` to its end.

    Args:
        out: where its folder is made.
        name: of the folder.
        arguments: flags.
        program: what is given to Python.
        cpus: that it may use; None for all.

    Raises:
        CalledProcessError: it failed; what it said is in the log beside its folder.
    """
    command = [sys.executable, *program, "fit", *arguments, "--out", str(out), "--name", name]
    began = time.monotonic()
    with (out / f"{name}.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        if cpus is not None:
            os.sched_setaffinity(process.pid, cpus)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Fit(out / name, time.monotonic() - began, used.ru_utime + used.ru_stime)
