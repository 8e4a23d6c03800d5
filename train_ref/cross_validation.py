"""All folds of a cross-validation, one run after the other, in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from train_ref.config import Config
from train_ref.distributed import Place
from train_ref.errors import StoppedError, TrainError
from train_ref.metrics import METRICS
from train_ref.progress import say
from train_ref.run import result_of, train
from train_ref.run_folder import RunFolder

__all__ = ["cross_validate", "spread_words"]


def cross_validate(config: Config, folder: Path, place: Place) -> None:
    """Train a run for each fold, in fold0, fold1 and so on; runs that are through stay.

    Args:
        config: the settings of all; `folds` says how many.
        folder: of all of them.
        place: this process.

    Raises:
        TrainError: as a run.
        StoppedError: a signal has come; it names the folder of all folds.
    """
    assert config.folds is not None
    results = []
    for fold in range(config.folds):
        run = RunFolder(folder / f"fold{fold}")
        result = result_of(run)
        if result is None:
            say(f"Fold {fold} of {config.folds}: {run.path}")
            of_fold = config.replace(fold=fold)
            try:
                result = train(of_fold, run, place, goes_on=run.config.exists())
            except StoppedError as error:
                raise StoppedError(folder, error.number) from error
        results.append(result)
    if not results or not results[0]:
        raise TrainError(f"The runs in {folder} have validated nothing.")
    for line in spread_words(results):
        say(line)


def spread_words(results: Sequence[dict[str, float]]) -> list[str]:
    """Say each metric's mean over runs, and the standard deviation (of n - 1).

    Example:
        >>> spread_words([{"accuracy": 0.5}, {"accuracy": 0.7}])
        ['accuracy           0.6000 ± 0.1414 over 2 folds (0.5000, 0.7000)']
    """
    lines = []
    for name in METRICS:
        values = [result[name] for result in results if name in result]
        if values:
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            each = ", ".join(f"{value:.4f}" for value in values)
            lines.append(
                f"{name:<18} {np.mean(values):.4f} ± {spread:.4f} over {len(values)} folds ({each})"
            )
    return lines
