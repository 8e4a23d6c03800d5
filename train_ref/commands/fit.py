"""``python -m train_ref fit``: a classifier from a pack or a label folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from train_ref.errors import TrainError
from train_ref.flags import config_of, settings_flags

if TYPE_CHECKING:
    from train_ref.config import Config
    from train_ref.distributed import Place

__all__ = ["command"]


@click.command(name="fit", short_help="Train a classifier, or one for each of several folds.")
@click.option("--config", "file", type=click.Path(path_type=Path), help="YAML; flags come first.")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with this run's folder.")
@settings_flags
def command(file: Path | None, resume: Path | None, **flags: Any) -> None:
    """Train a classifier with --data and keep all of it in a folder.

    With --folds and without --fold, a run for each fold. Ctrl-C saves; --resume goes on, and ends
    where an undisturbed run would have.
    """
    given = [name for name, value in flags.items() if value is not None]
    if resume is not None and (file is not None or given):
        raise click.UsageError("--resume goes on with the run's own settings: it stands alone.")
    config = config_of(file, flags) if resume is None else _config_in(resume)
    # torch takes seconds to import, which --help and a wrong setting do without.
    from train_ref.distributed import joined

    with joined(config.device) as place:
        if resume is None:
            _begin(config, place)
        else:
            _go_on(config, resume, place)


def _config_in(folder: Path) -> Config:
    if not (folder / "config.yaml").is_file():
        raise TrainError(f"{folder} is no run's folder: it has no config.yaml.")
    return config_of(folder / "config.yaml", {})


def _begin(config: Config, place: Place) -> None:
    from train_ref.cross_validation import cross_validate
    from train_ref.distributed import agreed_text, first_before_others, is_first
    from train_ref.run import check, train
    from train_ref.run_folder import RunFolder, write_whole

    check(config)
    folder = Path(config.out) / agreed_text(_name(config))
    if is_first() and folder.exists():
        raise TrainError(
            f"{folder} is there already: go on with it by --resume {folder}, or choose another "
            "--name."
        )
    if not _is_of_all_folds(config):
        train(config, RunFolder(folder), place, goes_on=False)
        return
    with first_before_others():
        if is_first():
            folder.mkdir(parents=True)
            write_whole(RunFolder(folder).config, config.to_yaml().encode())
    cross_validate(config, folder, place)


def _go_on(config: Config, folder: Path, place: Place) -> None:
    from train_ref.cross_validation import cross_validate
    from train_ref.progress import say
    from train_ref.run import result_of, train
    from train_ref.run_folder import RunFolder

    if _is_of_all_folds(config):
        cross_validate(config, folder, place)
    elif result_of(RunFolder(folder)) is not None:
        say(f"{folder} is through: there is nothing to go on with.")
    else:
        train(config, RunFolder(folder), place, goes_on=True)


def _is_of_all_folds(config: Config) -> bool:
    return config.folds is not None and config.fold is None


def _name(config: Config) -> str:
    if config.name is not None:
        return config.name
    from datetime import datetime

    model = "".join(sign if sign.isalnum() or sign in "_.-" else "-" for sign in config.model)
    fold = "" if config.fold is None else f"-fold{config.fold}"
    return f"{model}-{datetime.now():%Y%m%d-%H%M%S}{fold}"
