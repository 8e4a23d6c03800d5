"""``fastload tune``: the settings of a loader, found by measuring."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from shlex import quote
from traceback import format_tb
from typing import TYPE_CHECKING, Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from fastload.cli.telling import tell
from fastload.cli.user_code import named_in_program, transform_named
from fastload.cli.writing import check_folder, writing
from fastload.errors import EngineError
from fastload.presets import PRESETS
from fastload.store.manifest import MANIFEST_NAME
from fastload.words import duration_words, name_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastload.tune import Settings, Tuning, Window
    from fastload.tune.page import Row

__all__ = ["command"]

_INSTALLED = "installed"
_DIGITS = 8


@click.command(name="tune", short_help="Find a loader's settings by measuring.")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--transform",
    default="train",
    show_default=True,
    help=f"{', '.join(PRESETS)}, or one of yours: train.py:transform.",
)
@click.option("--train-step", help="What training does with a batch: train.py:step.")
@click.option("--target", type=float, help="Images/s that are enough.")
@click.option("--batch-size", type=click.IntRange(1), default=128, show_default=True)
@click.option("--seconds", type=float, default=2.0, show_default=True, help="Of each window.")
@click.option(
    "--ranks",
    type=click.IntRange(1),
    help="Training processes that share this machine.  [what torchrun says, or 1]",
)
@click.option(
    "--engines",
    default="native",
    show_default=True,
    help=f"To try for packs: native,dali or so, or {_INSTALLED}. Others change pixels a little.",
)
@click.option(
    "--decode",
    default="exact",
    show_default=True,
    help="To try for packs: exact,fast tries both. fast changes pixels a little.",
)
@click.option(
    "--json",
    "figures",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the curve goes.  [the folder of what was found]",
)
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where its page goes.  [the same]",
)
def command(
    source: Path,
    transform: str,
    train_step: str | None,
    target: float | None,
    batch_size: int,
    seconds: float,
    ranks: int | None,
    engines: str,
    decode: str,
    figures: Path | None,
    page: Path | None,
) -> None:
    """Find the smallest setting within 3 % of the fastest for SOURCE, a label folder or a pack.

    Of a label folder that is torch's DataLoader, of a pack fastload's. What was found for a pack
    is taken by DataLoader(..., tuned=True).
    """
    for file in (figures, page):
        check_folder(file)
    asked: dict[str, Any] = {
        "transform": transform_named(transform),
        "batch_size": batch_size,
        "step": None if train_step is None else _step(train_step),
        "target": target,
        "seconds": seconds,
        "ranks": ranks,
        "progress": _tell_window,
    }
    if not source.is_dir():
        raise click.ClickException(f"{source}: there is no such folder.")
    is_pack = (source / MANIFEST_NAME).is_file()
    try:
        tuning = _tune(source, is_pack, engines, decode, asked)
        _print(tuning)
        kept = _keep(tuning, source, asked["transform"]) if is_pack else None
        _write(tuning, *_places(tuning, source, figures, page))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    _print_end(tuning, source, kept)


def _step(text: str) -> Callable[[Any], object]:
    step = named_in_program(text)
    if not callable(step):
        raise click.ClickException(f"{text} is no function: give one that takes a batch.")

    def told(batch: Any) -> object:
        try:
            return step(batch)
        except Exception as error:
            # Without this function's own line.
            trace = error.__traceback__ and error.__traceback__.tb_next
            where = "".join(format_tb(trace))
            reason = f"{text} failed on a batch: {type(error).__name__}: {error}"
            raise click.ClickException(f"{reason}\n{where}") from error

    return told


def _tune(source: Path, is_pack: bool, engines: str, decode: str, asked: dict[str, Any]) -> Tuning:
    from fastload.tune import tune_folder, tune_pack

    if is_pack:
        chosen = _installed() if engines == _INSTALLED else engines.split(",")
        return tune_pack(source, engines=chosen, decodes=decode.split(","), **asked)
    if (engines, decode) != ("native", "exact"):
        raise click.UsageError("--engines and --decode are for packs: torch's loader has neither.")
    return tune_folder(source, **asked)


def _installed() -> list[str]:
    """The engines whose libraries are here."""
    import torch

    from fastload.engines import ENGINES, engine_class

    found = []
    for name in ENGINES:
        try:
            engine_class(name, torch.device("cpu"))
        except EngineError:
            click.echo(f"engine {name}: not installed", err=True)
        else:
            found.append(name)
    return found


def _tell_window(settings: Settings, window: Window) -> None:
    click.echo(f"{settings.words()}: {window.images_per_second:,.0f} images/s", err=True)


def _print(tuning: Tuning) -> None:
    from fastload.tune.page import rows_of

    tell(f"Budget: {tuning.budget}.")
    if tuning.headroom is not None:
        alone = tuning.headroom.images_per_second
        tell(f"Headroom: the step alone takes {alone:,.0f} images/s.")
    Console().print(_table(list(rows_of(tuning)), "threads" if tuning.is_pack else "workers"))
    for refusal in tuning.refused:
        tell(f"Not tried: {refusal.settings.words()}: {refusal.reason}.")
    for trial in tuning.trials:
        if trial.failure:
            tell(f"Died: {trial.settings.words()}: {name_words(trial.failure)}")
    if tuning.turn is not None:
        tell(_turn_words(tuning))
    for note in tuning.notes:
        tell(note)


def _table(rows: Sequence[Row], kind: str) -> Table:
    table = Table("", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for head in (kind, "ahead"):
        table.add_column(head, justify="right")
    besides = any(row.others for row in rows)
    if besides:
        table.add_column("besides")
    for head in ("images/s", "windows", "first\nbatch", "CPU", "memory"):
        table.add_column(head, justify="right")
    for row in rows:
        setting = (row.workers, row.ahead, *([row.others] if besides else []))
        rate = "died" if row.failure else row.rate
        figures = (rate, row.spread, row.first_batch, row.cpu, row.memory)
        style = "bold" if row.chosen else ""
        table.add_row("→" if row.chosen else "", *setting, *figures, style=style)
    return table


def _turn_words(tuning: Tuning) -> str:
    assert tuning.turn is not None
    turn, verb = tuning.turn, "live on" if tuning.turn.worth_keeping else "start anew"
    return (
        f"Between two epochs: {turn.anew:.2f} s to the first batch where workers start anew, "
        f"{turn.kept:.2f} s where they live on; an epoch takes {turn.epoch:.1f} s. They {verb}."
    )


def _keep(tuning: Tuning, pack: Path, transform: Any) -> Path:
    """Let loaders with tuned=True find the choice."""
    from fastload.dataset import ImageFolder
    from fastload.tuned import TunedSettings, save_tuned

    found = TunedSettings(**tuning.choice.settings.arguments())
    return save_tuned(ImageFolder(pack, transform), found, tuning.budget.cpus)


def _places(
    tuning: Tuning, source: Path, figures: Path | None, page: Path | None
) -> tuple[Path, Path]:
    """The files of the curve: where the user wants them, or beside the choices."""
    from fastload.tuned import home

    if figures is None or page is None:
        home().mkdir(parents=True, exist_ok=True)
    told = f"{source.resolve()} {tuning.transform} {tuning.batch_size}"
    digest = sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]
    stem = home() / f"curve-{digest}"
    return figures or stem.with_suffix(".json"), page or stem.with_suffix(".html")


def _write(tuning: Tuning, figures: Path, page: Path) -> None:
    from fastload.tune.page import page_of

    with writing(figures):
        figures.write_text(json.dumps(tuning.as_dict(), indent=1) + "\n", encoding="utf-8")
    with writing(page):
        page.write_text(page_of(tuning), encoding="utf-8")
    click.echo(f"{name_words(str(figures))}: the curve.")
    click.echo(f"{name_words(str(page))}: its page.")


def _print_end(tuning: Tuning, source: Path, kept: Path | None) -> None:
    if kept is not None:
        click.echo(f"{name_words(str(kept))}: the choice, for DataLoader(..., tuned=True).")
    else:
        folder = quote(name_words(str(source)))
        tell(
            f"Another way: `fastload pack {folder}`, and `fastload tune` of the pack measures that."
        )
    tried = "1 setting" if len(tuning.trials) == 1 else f"{len(tuning.trials)} settings"
    tell(f"{tuning.verdict} Tried: {tried} in {duration_words(tuning.seconds)}.")
    click.echo()
    click.echo(tuning.code)
