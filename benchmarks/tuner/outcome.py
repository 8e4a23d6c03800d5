"""What the grid and the tuner found, side by side, and what was promised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from benchmarks.tuner.entrants import Entrant
from fastload.measure.spread import spread
from fastload.tune import Settings

LEAST, SHARE = 0.95, 0.2
HEAD = """\
| loader | | setting | images/s, in turns | settings | seconds |
|---|---|---|--:|--:|--:|"""


@dataclass(frozen=True)
class Outcome:
    """Of one entrant.

    Attributes:
        name: of the entrant.
        best, chosen: the grid's best setting, and the tuner's.
        best_rates, chosen_rates: images/s of both, measured in turns when all was over.
        cells, tried: how many settings the grid has, and how many the tuner measured.
        grid_seconds, tuner_seconds: what both took.
    """

    name: str
    best: Settings
    chosen: Settings
    best_rates: Sequence[float]
    chosen_rates: Sequence[float]
    cells: int
    tried: int
    grid_seconds: float
    tuner_seconds: float

    @property
    def ratios(self) -> list[float]:
        """The choice's speed as a part of the best's, round by round."""
        pairs = zip(self.chosen_rates, self.best_rates, strict=True)
        return [chosen / best for chosen, best in pairs]

    def rows(self) -> list[str]:
        """Two lines of the table."""
        grid = (self.best.words(), spread(self.best_rates), self.cells, self.grid_seconds)
        tuner = (self.chosen.words(), spread(self.chosen_rates), self.tried, self.tuner_seconds)
        return [
            f"| {name} | {setting} | {rates} | {settings} | {seconds:.0f} |"
            for name, (setting, rates, settings, seconds) in (
                (f"{self.name} | grid", grid),
                ("| tuner", tuner),
            )
        ]

    def verdict(self) -> str:
        """Both promises."""
        near, quick = median(self.ratios), self.tuner_seconds / self.grid_seconds
        return (
            f"{self.name}: the tuner's choice reaches {spread(self.ratios, 2)} of the grid's best; "
            f"promised {LEAST:.2f}: {_kept(near >= LEAST)}. It took {quick:.2f} of the grid's "
            f"time; promised {SHARE:.2f}: {_kept(quick <= SHARE)}."
        )


def _kept(so: bool) -> str:
    return "held" if so else "missed"


def compare(
    entrant: Entrant,
    rounds: int,
    tell: Callable[[str], None] = print,
    clock: Callable[[], float] = perf_counter,
) -> Outcome:
    """Measure the whole grid, ask the tuner, and measure both answers in turns.

    Args:
        entrant: what is tuned.
        rounds: over the grid, one cell after the other; and, at the end, over both answers.
        tell: told of each round.
        clock: tells the seconds.
    """
    began = clock()
    rates: dict[Settings, list[float]] = {cell: [] for cell in entrant.cells}
    for number in range(rounds):
        for cell in entrant.cells if number % 2 == 0 else reversed(entrant.cells):
            rates[cell].append(entrant.rate(cell))
        tell(f"{entrant.name}: round {number + 1} of {rounds} over {len(rates)} settings")
    grid_seconds = clock() - began
    began = clock()
    tuning = entrant.tune()
    tuner_seconds = clock() - began
    best = max(rates, key=lambda cell: median(rates[cell]))
    chosen = tuning.choice.settings
    again: dict[str, list[float]] = {"best": [], "chosen": []}
    for _ in range(rounds + 2):
        again["best"].append(entrant.rate(best))
        again["chosen"].append(entrant.rate(chosen))
    return Outcome(
        entrant.name,
        best,
        chosen,
        again["best"],
        again["chosen"],
        len(rates),
        len(tuning.trials),
        grid_seconds,
        tuner_seconds,
    )
