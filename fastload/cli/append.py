"""``fastload append``: images are added to the classes of a pack."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from fastload.cli.resumable import resumable
from fastload.cli.writing import check_folder, writing
from fastload.pack.append import append
from fastload.words import duration_words, name_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastload.pack.append import AppendReport

__all__ = ["command"]

# Files of each kind named on the terminal; --list names them all.
_NAMED = 10

# What befell a file, and how it is told: {path} of the file, {other} a path or a reason.
_KINDS = {
    "other-class": "contradiction: {path} is the same image as {other}, of another class",
    "duplicate": "there already: {path} is the same image as {other}",
    "near-duplicate": "near-duplicate: {path} resembles {other}",
    "renamed": "renamed: {path} is {other} in the pack, where another image has its path",
    "rejected": "rejected {path}: {other}",
}


@click.command(name="append", short_help="Add images to the classes of a pack.")
@click.argument("pack", type=click.Path(path_type=Path))
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--keep-duplicates", is_flag=True, help="Add images that PACK has already, too.")
@click.option("--strict", is_flag=True, help="A file that cannot be read is an error.")
@click.option("--workers", type=int, metavar="N", help="Threads that encode.  [the usable CPUs]")
@click.option(
    "--list",
    "list_file",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write every duplicate, renamed and rejected file to this CSV file.",
)
def command(
    pack: Path,
    source: Path,
    keep_duplicates: bool,
    strict: bool,
    workers: int | None,
    list_file: Path | None,
) -> None:
    """Add the images of the label folder SOURCE to PACK, stored with the pack's own options.

    SOURCE has classes of the pack alone. Images that the pack has already are left out and named.
    PACK can be read all the time, and has either none or all of the new images; an interrupted
    append goes on when the same command is run again.
    """
    check_folder(list_file)
    with resumable("appending") as report:
        done = append(
            pack,
            source,
            keep_duplicates=keep_duplicates,
            strict=strict,
            workers=workers,
            progress=report,
        )
    # Printed first: the images are in the pack, whatever becomes of the list.
    _print(done)
    if list_file is not None:
        with writing(list_file):
            list_file.write_bytes(_csv(done))


def _print(report: AppendReport) -> None:
    told = {kind: list(_rows(report, kind)) for kind in _KINDS}
    # Above the table, where a long path is not broken and can be copied.
    click.echo(name_words(str(report.path)))
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("images added", f"{report.added:,}")
    table.add_row("images now", f"{report.manifest.records:,}")
    table.add_row("left out, there already", f"{len(report.duplicates):,}")
    table.add_row("same image, other class", f"{len(told['other-class']):,}")
    table.add_row("near-duplicates added", f"{len(report.near):,}")
    table.add_row("renamed", f"{len(report.renamed):,}")
    table.add_row("rejected", f"{len(report.rejected):,}")
    table.add_row("time", duration_words(report.seconds))
    Console().print(table)
    for kind, rows in told.items():
        for path, other in rows[:_NAMED]:
            click.echo(_KINDS[kind].format(path=name_words(path), other=name_words(other)))
        if len(rows) > _NAMED:
            click.echo(f"and {len(rows) - _NAMED:,} more ({kind}); --list FILE.csv names all")
    if not report.added:
        click.echo("Nothing to add: the pack is as it was.")


def _rows(report: AppendReport, kind: str) -> Iterator[tuple[str, str]]:
    """(path, other) of the files of a kind; ``other`` is a path in the pack or a reason."""
    if kind == "near-duplicate":
        yield from ((match.path, match.other) for match in report.near)
    elif kind == "renamed":
        yield from report.renamed
    elif kind == "rejected":
        yield from report.rejected
    else:
        for match in [*report.duplicates, *report.kept_duplicates]:
            if match.contradicts == (kind == "other-class"):
                yield match.path, match.other


def _csv(report: AppendReport) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["kind", "path", "other"])
    for kind in _KINDS:
        writer.writerows((kind, *row) for row in _rows(report, kind))
    return text.getvalue().encode("utf-8", "surrogateescape")
