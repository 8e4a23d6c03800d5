"""Times an entrant's epochs, alone or with a training step."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.gpu.entrant import Entrant, Epoch
from benchmarks.gpu.setting import Setting
from benchmarks.gpu.training import StepTimes, training_step


@dataclass(frozen=True)
class Row:
    """What became of an entrant: medians over epochs, or the reason why there are none."""

    name: str
    threads: int
    hw_decoder_load: float | None
    trained: bool
    images_per_second: float | None = None
    idle: float | None = None
    reason: str = ""


def rows(setting: Setting, entrants: list[Entrant]) -> Iterator[Row]:
    """Each entrant without and with a training step."""
    for entrant in entrants:
        for trained in (False, True):
            yield row(setting, entrant, trained)


def row(setting: Setting, entrant: Entrant, trained: bool) -> Row:
    """One entrant; on a GPU its failure costs its row, in a trial it is raised."""
    kind = entrant.name, entrant.threads, entrant.hw_decoder_load, trained
    if reason := entrant.missing():
        return Row(*kind, reason=reason)
    try:
        with entrant.open(setting) as epoch:
            return Row(*kind, *medians(setting, epoch, trained))
    except Exception as error:
        if not setting.on_gpu:
            raise
        return Row(*kind, reason=f"{type(error).__name__}: {error}".splitlines()[0])


def medians(setting: Setting, epoch: Epoch, trained: bool) -> tuple[float, float | None]:
    """Images a second and, with a training step, the idle share."""
    step = training_step(setting) if trained else None
    rates, shares = [], []
    for number in range(1 + setting.epochs):
        times, count = StepTimes(setting), 0
        setting.wait()
        start = time.perf_counter()
        for images in epoch():
            count += len(images)
            if step is not None:
                times.run(step, images)
        setting.wait()
        if number == 0:  # fills caches and compiles
            continue
        rates.append(count / (time.perf_counter() - start))
        if step is not None:
            shares.append(times.idle())
    return statistics.median(rates), statistics.median(shares) if shares else None
