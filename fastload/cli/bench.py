"""``fastload bench``: fastload beside ImageFolder on the user's folder; reports and comparisons."""

from __future__ import annotations

import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastload.cli.telling import tell
from fastload.cli.user_code import transform_named
from fastload.cli.writing import check_folder, writing
from fastload.presets import PRESETS
from fastload.words import name_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastload.bench.own_data import Plan
    from fastload.bench.results import Document, Result

__all__ = ["command"]

_RUN = "run"
# Columns of a terminal that a table needs for its own words, and for each entrant.
_HEAD_WIDTH, _COLUMN_WIDTH = 22, 18
# Ways to call it by which click finds help and not a folder.
_HELP = ("-h", "--help")


class _RunByDefault(click.Group):
    """A group whose first argument is a folder, unless it is a subcommand's name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *_HELP):
            args = [_RUN, *args]
        return super().parse_args(ctx, args)


@click.group(
    name="bench",
    cls=_RunByDefault,
    short_help="Measure loaders on your own images.",
    subcommand_metavar="DATA [OPTIONS] | COMMAND ...",
)
def command() -> None:
    """Measure fastload beside ImageFolder on DATA, a label folder of yours.

    `fastload bench DATA` is short for `fastload bench run DATA`. A folder that is called like a
    command is given as ./report.
    """


@command.command(name=_RUN, short_help="Measure on a label folder (the default).")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--transform",
    default="train",
    show_default=True,
    metavar="NAME",
    help=f"A preset ({', '.join(PRESETS)}) or your own: train.py:transform.",
)
@click.option("--batch-size", type=click.IntRange(1), default=128, show_default=True)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=3.0,
    show_default=True,
    help="How long to measure, about; packing is not counted.",
)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option(
    "--images", type=click.IntRange(1), help="Measure on so many at most.  [10,000, if they fit]"
)
@click.option(
    "--pack",
    type=click.Path(path_type=Path),
    help="The pack that was made of DATA: all of it is measured, and not packed anew.",
)
@click.option("--codec", type=click.Choice(["dct"]), help="Measure a pack of this codec, too.")
@click.option(
    "--peers", metavar="NAMES", help="Other loaders, by commas, or all; from a checkout alone."
)
@click.option("--json", "result", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML page.")
def run(
    data: Path,
    transform: str,
    batch_size: int,
    minutes: float,
    rounds: int,
    images: int | None,
    pack: Path | None,
    codec: str | None,
    peers: str | None,
    result: Path | None,
    page: Path | None,
) -> None:
    """Measure fastload beside ImageFolder on DATA, with your transform or a preset.

    ImageFolder and DataLoader are tuned first, fastload by the same tuner; then they take turns,
    each in a process of its own. DATA is only read. Of a large folder, a sample is measured.
    """
    from fastload.bench.own_data import Plan, measure_folder
    from fastload.bench.page import write_page
    from fastload.bench.preparing import MOST_IMAGES, prepare, prepare_packed
    from fastload.bench.results import write_document

    if pack is not None and images is not None:
        raise click.UsageError("--pack measures all of DATA: it takes no --images.")
    for file in (result, page):
        check_folder(file)
    # Before minutes of measuring.
    transform_named(transform)
    measure_peers = None if peers is None else _peers_of(peers, transform)
    try:
        with tempfile.TemporaryDirectory(prefix="fastload-bench-") as scratch:
            place = Path(scratch)
            if pack is None:
                prepared = prepare(data, place, images or MOST_IMAGES, codec == "dct", _say)
            else:
                prepared = prepare_packed(data, pack, place, codec == "dct", _say)
            plan = Plan(minutes, batch_size, rounds)
            document = measure_folder(
                prepared,
                partial(transform_named, transform),
                PRESETS.get(transform, transform),
                plan,
                _say,
            )
            if measure_peers is not None:
                document = measure_peers(document, prepared.folder, place, plan)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    if result is not None:
        with writing(result):
            write_document(document, result)
    if page is not None:
        with writing(page):
            write_page([document], page)
    _print(document)
    if page is not None:
        _say(f"{name_words(str(page))}: the page.")


def _say(words: str) -> None:
    click.echo(words, err=True)


def _peers_of(names: str, transform: str) -> Callable[[Document, Path, Path, Plan], Document]:
    """What measures other loaders, found before minutes of measuring."""
    if transform not in PRESETS:
        raise click.UsageError(
            f"--peers: the other loaders' adapters have pipelines for the presets "
            f"({', '.join(PRESETS)}) and cannot run {transform}: leave out one of the two."
        )
    try:
        # Of the checkout: fastload itself neither has nor needs it.
        door: Any = import_module("benchmarks.own_data")
    except ImportError as error:
        raise click.UsageError(
            "--peers: other loaders are measured from a checkout of fastload, which has their "
            "adapters. In it, `python -m benchmarks.environments` makes an environment for each, "
            "and `python -m fastload.cli bench DATA --peers all` measures."
        ) from error
    try:
        peers = door.chosen(names)
    except ValueError as error:
        raise click.UsageError(f"--peers: {error}") from error
    return partial(door.beside_peers, peers=peers, preset=transform, tell=_say)


def _print(document: Document) -> None:
    """Tables for a terminal: an entrant a column, so many side by side as there is room for."""
    from fastload.bench.columns import facts, notes_of, ordered, run_facts

    for line in [*run_facts(document), *notes_of(document)]:
        tell(name_words(line))
    console = Console()
    beside = max(1, (console.width - _HEAD_WIDTH) // _COLUMN_WIDTH)
    for suite, results in document.suites.items():
        tell(name_words("; ".join(facts(results, document.photos))))
        shown = ordered(results)
        for start in range(0, len(shown), beside):
            console.print(_table(shown[start : start + beside]))
        for failure in document.failed:
            if failure.suite == suite:
                tell(name_words(f"{failure.label} failed: {failure.error}"))


def _table(results: Sequence[Result]) -> Table:
    from fastload.bench.columns import columns_of, name_of

    table = Table("")
    for result in results:
        table.add_column(Text(name_of(result)), justify="right")
    for column in columns_of(results):
        cells = [column.cell(result) for result in results]
        words = ["" if cell is None else name_words(cell.text) for cell in cells]
        table.add_row(column.head, *map(Text, words))
    return table


@command.command(short_help="Show results as Markdown and as a page.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file."
)
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML page.")
def report(files: tuple[Path, ...], markdown: Path | None, page: Path | None) -> None:
    """Show the results FILES: printed as Markdown, or written, or as a page with charts.

    They are what `fastload bench --json` and `pytest benchmarks --benchmark-json` write. Several
    are shown one after the other, each with its machine and its time.
    """
    from fastload.bench.markdown import report as as_markdown
    from fastload.bench.page import write_page

    for file in (markdown, page):
        check_folder(file)
    documents = _read(files)
    text = "\n".join(map(as_markdown, documents))
    if markdown is not None:
        with writing(markdown):
            markdown.write_text(text, encoding="utf-8")
    if page is not None:
        with writing(page):
            write_page(documents, page)
    if markdown is None and page is None:
        click.echo(text, nl=False)


@command.command(short_help="Say what became faster or slower than in another run.")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--relative-to",
    "reference",
    metavar="PEER",
    help="Compare how many times as fast as this peer, as imagefolder: for machines that are "
    "shared, or different ones.",
)
@click.option("--fail", is_flag=True, help="Exit with 1 if fastload became slower.")
def compare(before: Path, after: tuple[Path, ...], reference: str | None, fail: bool) -> None:
    """Compare the result BEFORE with one or more AFTER it, entrant by entrant."""
    from fastload.bench.compare import changes, comparison

    first, *others = _read([before, *after])
    slower = []
    for number, other in enumerate(others):
        found = changes(first, other, reference)
        click.echo("\n" * (number > 0) + comparison(first, other, found, reference), nl=False)
        slower += [change for change in found if change.slower]
    if fail and slower:
        names = ", ".join(sorted({f"{one.suite}: {one.after.label}" for one in slower}))
        raise click.ClickException(f"slower by more than the noise: {name_words(names)}.")


def _read(files: Sequence[Path]) -> list[Document]:
    from fastload.bench.results import read_document

    try:
        return [read_document(file) for file in files]
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from error
