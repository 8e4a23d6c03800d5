"""``fastload pack``: a label folder becomes a pack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from fastload.cli.resumable import resumable
from fastload.pack import pack
from fastload.pack.options import CODECS
from fastload.pack.scan import looks_labelled
from fastload.words import bytes_words, duration_words, name_words

if TYPE_CHECKING:
    from fastload.pack.flow import Report

__all__ = ["command"]

# Rejected files named in the closing table; rejected.csv names them all.
_NAMED = 10


@click.command(name="pack", short_help="Turn a label folder into a pack.")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The pack's folder.  [SOURCE.pack]"
)
@click.option(
    "--codec",
    type=click.Choice(CODECS),
    default=CODECS[0],
    show_default=True,
    help="How JPEG images are stored; dct is larger and loads faster.",
)
@click.option(
    "--max-side", type=int, metavar="PIXELS", help="Make larger images this small (lossy)."
)
@click.option(
    "--quality", type=int, metavar="1-100", help="Store all as JPEG of this quality (lossy)."
)
@click.option("--verbatim", is_flag=True, help="Keep the very bytes of the files.")
@click.option("--shard-size", default="256MB", show_default=True, help="Bytes a shard may have.")
@click.option("--workers", type=int, metavar="N", help="Threads that encode.  [the usable CPUs]")
@click.option("--no-cls", is_flag=True, help="Leave out the .cls members (for tiny images).")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the order of the records.")
@click.option("--strict", is_flag=True, help="A file that cannot be read is an error.")
@click.option("--allow-empty", is_flag=True, help="A class without a file is no error.")
@click.option("--unlabelled", is_flag=True, help="SOURCE is a folder of images without classes.")
def command(
    source: Path,
    output: Path | None,
    codec: str,
    max_side: int | None,
    quality: int | None,
    verbatim: bool,
    shard_size: str,
    workers: int | None,
    no_cls: bool,
    seed: int,
    strict: bool,
    allow_empty: bool,
    unlabelled: bool,
) -> None:
    """Pack the label folder SOURCE: the same pixels, labels and classes, several times as fast.

    An interrupted packing goes on when the same command is run again.
    """
    with resumable("packing") as report:
        done = pack(
            source,
            output,
            codec=codec,
            max_side=max_side,
            quality=quality,
            verbatim=verbatim,
            shard_size=shard_size,
            workers=workers,
            cls=not no_cls,
            seed=seed,
            strict=strict,
            allow_empty=allow_empty,
            unlabelled=unlabelled,
            progress=report,
        )
        if unlabelled and looks_labelled(source):
            click.echo(
                f"{name_words(str(source))} looks like a label folder: with --unlabelled there "
                "are no classes, its folders are parts of the paths.",
                err=True,
            )
    if done.already_packed:
        click.echo(f"{name_words(str(done.path))} is already packed: nothing to do.")
    else:
        _print(done)


def _print(report: Report) -> None:
    manifest = report.manifest
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    if not manifest.unlabelled:
        table.add_row("classes", f"{len(manifest.classes):,}")
    table.add_row("images", f"{manifest.records:,}")
    table.add_row("shards", f"{len(manifest.shards):,}")
    table.add_row("bytes in", bytes_words(manifest.source.bytes))
    table.add_row("bytes out", f"{bytes_words(report.bytes_out)} ({_ratio(report):.3f} of in)")
    if manifest.measured:
        measured = manifest.measured
        table.add_row("PSNR, mean", f"{measured['psnr_mean_db']:.2f} dB")
        table.add_row("PSNR, worst", f"{measured['psnr_worst_db']:.2f} dB")
    table.add_row("rejected", f"{len(report.rejected):,}")
    table.add_row("time", duration_words(report.seconds))
    if report.files_now:
        table.add_row("speed", f"{report.files_now / report.seconds:,.0f} images/s")
    # Above the table, where a long path is not broken and can be copied.
    click.echo(name_words(str(report.path)))
    Console().print(table)
    for path, reason in report.rejected[:_NAMED]:
        click.echo(f"rejected {name_words(path)}: {reason}")
    if len(report.rejected) > _NAMED:
        more = len(report.rejected) - _NAMED
        click.echo(f"and {more:,} more, all in {name_words(str(report.path))}/rejected.csv")


def _ratio(report: Report) -> float:
    return report.bytes_out / max(1, report.manifest.source.bytes)
