"""Loaders whose speed is given, measured by a clock that nobody waits for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastload.tune.settings import Settings
from fastload.tune.trial import Window
from fastload.tune.trials import Trials


def planted(
    speed: Callable[[Settings], float],
    against: Callable[[Settings], str] = lambda settings: "",
    noise: float = 0.0,
    seed: int = 0,
) -> Trials:
    """Trials of loaders that are so fast, give or take the noise."""
    draw = np.random.default_rng(seed)

    def run(settings: Settings) -> Window:
        return Window(images=1000, seconds=1000 / speed(settings) * draw.normal(1, noise))

    return Trials(run, against)
