"""``python -m train_ref report``: pages of runs."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command(name="report", short_help="Write the page of a run, or of several and their mean.")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(runs: tuple[Path, ...]) -> None:
    """Write report.html into the folder of each of the RUNS.

    Of several runs, such as the folds of a cross-validation, folds.html with mean and spread is
    written beside the first one. A folder with runs in it stands for all of them.
    """
    # matplotlib and torch take seconds to import, which --help does without.
    from train_ref.report import read_run, runs_in, write_folds, write_report

    found = [read_run(folder) for path in runs for folder in runs_in(path)]
    for run in found:
        click.echo(f"{run.name}: {write_report(run)}")
    if len(found) > 1:
        click.echo(f"{len(found)} runs together: {write_folds(found)}")
