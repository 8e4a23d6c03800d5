"""``fastload duplicates``: which images of a pack are there more than once."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from fastload.cli.duplicates_page import write_page
from fastload.cli.telling import tell
from fastload.cli.watching import watching
from fastload.cli.writing import check_folder, writing
from fastload.cpus import usable_cpus
from fastload.duplicates import (
    DISTANCE,
    exact_duplicate_groups,
    groups_listed,
    near_duplicate_groups,
    relations,
)
from fastload.store import open_pack
from fastload.words import name_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fastload.duplicates import Group
    from fastload.store import Pack

__all__ = ["command"]

# What fits a screen or two.
_GROUPS_SHOWN, _RECORDS_SHOWN = 20, 8
# Farther apart, pictures that have nothing in common are near one another by the thousands.
_MOST_DISTANCE = 16


@click.command(name="duplicates", short_help="List images that are there more than once.")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option(
    "--distance",
    type=click.IntRange(0, _MOST_DISTANCE),
    help=f"Bits of 63 in which perceptual hashes may differ.  [{DISTANCE}]",
)
@click.option("--exact", is_flag=True, help="Only records of the very same bytes.")
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write an HTML page with thumbnails.",
)
@click.option(
    "--csv",
    "table",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all groups as a table.",
)
@click.option("--all", "everything", is_flag=True, help="Print all groups, however many.")
@click.option("--workers", type=click.IntRange(1), help="Threads.  [the usable CPUs]")
def command(
    pack: Path,
    distance: int | None,
    exact: bool,
    page: Path | None,
    table: Path | None,
    everything: bool,
    workers: int | None,
) -> None:
    """List the groups of images of PACK that show the same.

    Copies are found that were encoded anew, resized, made brighter or darker, mirrored or turned.
    Groups that span classes come first: one of their labels is likely wrong. The others follow by
    size.
    """
    if exact and distance is not None:
        raise click.UsageError("--exact compares bytes: it takes no --distance.")
    threads = workers or usable_cpus()
    # Before minutes of comparing.
    for file in (table, page):
        check_folder(file)
    try:
        opened = open_pack(pack)
        same_bytes = exact_duplicate_groups(opened)
        grouped = same_bytes if exact else _near(opened, distance, threads)
        groups = groups_listed(grouped, opened.index.label)
        _print(opened, groups, same_bytes, everything)
        if table is not None:
            with writing(table):
                _write_csv(table, opened, groups, same_bytes)
        if page is not None:
            with writing(page):
                shown = write_page(page, opened, groups, same_bytes, threads)
            _report_page(page, shown, groups)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    tell(_summary(opened, groups, exact))


def _near(pack: Pack, distance: int | None, workers: int) -> NDArray[np.int64]:
    with watching("comparing") as show:
        return near_duplicate_groups(
            pack,
            DISTANCE if distance is None else distance,
            workers=workers,
            progress=lambda done, total: show(done, total, 0, 0),
        )


def _print(
    pack: Pack, groups: Sequence[Group], same_bytes: NDArray[np.int64], everything: bool
) -> None:
    shown = len(groups) if everything else _GROUPS_SHOWN
    for number, group in enumerate(groups[:shown], start=1):
        labels = len(set(group.labels))
        classes = f" in {labels} classes" if group.spans_classes else ""
        click.echo(f"{number}: {len(group):,} images{classes}")
        kept = len(group) if everything else _RECORDS_SHOWN
        records, words = group.records[:kept], relations(pack, group.records[:kept], same_bytes)
        width = max(map(len, words))
        for record, relation in zip(records, words, strict=True):
            name, path = pack.class_name(record), name_words(pack.index.path(record))
            shown_class = "" if name is None else f"  {name_words(name)}"
            click.echo(f"  {record:>9}  {relation:{width}}{shown_class}  {path}")
        if len(group) > kept:
            click.echo(f"  {'...':>9}  {len(group) - kept:,} more")
    if len(groups) > shown:
        click.echo(
            f"... {len(groups) - shown:,} more groups: --all prints them, --csv FILE writes them."
        )


def _write_csv(
    file: Path, pack: Pack, groups: Sequence[Group], same_bytes: NDArray[np.int64]
) -> None:
    with file.open("w", encoding="utf-8", errors="surrogateescape", newline="") as opened:
        rows = csv.writer(opened, lineterminator="\n")
        rows.writerow(["group", "record", "class", "path", "relation"])
        for number, group in enumerate(groups, start=1):
            words = relations(pack, group.records, same_bytes)
            for record, relation in zip(group.records, words, strict=True):
                path = pack.index.path(record)
                rows.writerow([number, record, pack.class_name(record) or "", path, relation])


def _report_page(file: Path, shown: int, groups: Sequence[Group]) -> None:
    rest = len(groups) - shown
    words = f"; {rest:,} more have no room there" if rest else ""
    click.echo(f"{name_words(str(file))}: {shown:,} of {len(groups):,} groups{words}.")


def _summary(pack: Pack, groups: Sequence[Group], exact: bool) -> str:
    head = f"{name_words(str(pack.root))}:"
    if not groups:
        verb = "have the same bytes" if exact else "show the same"
        return f"{head} no two of {len(pack):,} images {verb}."
    kind = "of the same bytes" if exact else "that show the same"
    images = sum(map(len, groups))
    words = f"{head} {images:,} of {len(pack):,} images are in {len(groups):,} groups {kind}"
    if pack.manifest.unlabelled:
        return f"{words}."
    spanning = sum(group.spans_classes for group in groups)
    return f"{words}; {spanning:,} of the groups span classes."
