"""The curve as a page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastload.pages import render
from fastload.pages.charts import Line, lines
from fastload.tune.trial import Trial
from fastload.tune.tuning import Tuning
from fastload.words import bytes_words, duration_words

__all__ = ["Row", "page_of", "rows_of"]

# A line needs two ends.
_POINTS = 2
_TOLD_APART = ("num_workers", "prefetch_factor")


@dataclass(frozen=True)
class Row:
    """A trial as tables show it: text.

    Attributes:
        workers: how many.
        ahead: batches, "" where there are none.
        others: what else was given.
        rate: images/s.
        spread: of several windows.
        first_batch, cpu, memory: with their units.
        chosen: whether it is the choice.
        failure: why there are no figures.
    """

    workers: str
    ahead: str
    others: str
    rate: str = ""
    spread: str = ""
    first_batch: str = ""
    cpu: str = ""
    memory: str = ""
    chosen: bool = False
    failure: str = ""


def rows_of(tuning: Tuning) -> Iterator[Row]:
    """The trials, ordered as a curve."""
    for trial in sorted(tuning.trials, key=lambda trial: trial.settings.size):
        yield _row(trial, trial is tuning.choice)


def _row(trial: Trial, chosen: bool) -> Row:
    given = trial.settings.arguments()
    others = [f"{name} {value}" for name, value in given.items() if name not in _TOLD_APART]
    setting = str(given["num_workers"]), str(given.get("prefetch_factor", "")), ", ".join(others)
    if trial.failure:
        return Row(*setting, failure=trial.failure)
    low, high = trial.spread
    return Row(
        *setting,
        rate=f"{trial.images_per_second:,.0f}",
        spread=f"{low:,.0f}-{high:,.0f}" if len(trial.windows) > 1 else "",
        first_batch=f"{trial.first_batch:.2f} s",
        cpu=f"{trial.cpu_percent:.0f} %",
        memory=bytes_words(trial.memory),
        chosen=chosen,
    )


def page_of(tuning: Tuning) -> str:
    """The page: the choice, the line to paste, the curve, every trial."""
    kind = "threads" if tuning.is_pack else "workers"
    rows = list(rows_of(tuning))
    return render(
        "fastload.tune",
        "tune.html",
        title=f"Tuning of {tuning.dataset}",
        subtitle=[
            f"{tuning.images:,} images",
            f"batches of {tuning.batch_size}",
            str(tuning.machine),
        ],
        tuning=tuning,
        kind=kind,
        choice=next(row for row in rows if row.chosen),
        rows=rows,
        chart=_chart(tuning, kind),
        took=duration_words(tuning.seconds),
        refused=[(refusal.settings.words(), refusal.reason) for refusal in tuning.refused],
    )


def _chart(tuning: Tuning, kind: str) -> str | None:
    curve = tuning.curve()
    if len(curve) < _POINTS:
        return None
    shown = [Line("the loader, and the step" if tuning.headroom else "the loader", curve)]
    if tuning.headroom is not None:
        alone = tuning.headroom.images_per_second
        shown.append(Line("the step alone", [(curve[0][0], alone), (curve[-1][0], alone)]))
    return lines(shown, kind, "images/s", f"images/s by {kind}")
