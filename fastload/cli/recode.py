"""``fastload recode``: a pack with its JPEG images stored in the other way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from fastload.cli.resumable import resumable
from fastload.cpus import usable_cpus
from fastload.pack.options import CODECS
from fastload.pack.recode import default_output, recode_pack
from fastload.store import Codec, open_pack
from fastload.words import bytes_words, duration_words, name_words

if TYPE_CHECKING:
    from fastload.pack.flow import Report
    from fastload.store import Pack

__all__ = ["command"]


@click.command(name="recode", short_help="Store the JPEG images of a pack in another way.")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option(
    "--codec",
    type=click.Choice(CODECS),
    required=True,
    help="dct: larger, loads faster. jpeg: smaller.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The new pack's folder.  [data.pack gives data.dct.pack or data.jpeg.pack]",
)
@click.option("--workers", type=click.IntRange(1), help="Threads.  [the usable CPUs]")
def command(pack: Path, codec: str, output: Path | None, workers: int | None) -> None:
    """Write PACK again with its JPEG images in another codec; PACK itself is only read.

    No coefficient changes and so no pixel: each record is turned back and compared before it is
    written. The new pack has the bytes of one that was packed with this codec, and recoding back
    gives the old one's bytes. An interrupted recoding goes on when the same command is run again.
    """
    with resumable("recoding") as report:
        source = open_pack(pack)
        done = recode_pack(
            source,
            default_output(pack, codec) if output is None else output,
            codec,
            workers=workers or usable_cpus(),
            progress=report,
        )
    if done.already_packed:
        click.echo(f"{name_words(str(done.path))} is already recoded: nothing to do.")
    else:
        _print(source, done)


def _print(source: Pack, report: Report) -> None:
    before = sum(shard.size for shard in source.manifest.shards) + source.manifest.index.size
    codecs = np.bincount(open_pack(report.path).index.codec, minlength=len(Codec))
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for codec in Codec:
        if codecs[codec]:
            table.add_row(f"codec {codec.name.lower()}", f"{codecs[codec]:,}")
    ratio = report.bytes_out / max(1, before)
    table.add_row("bytes in", bytes_words(before))
    table.add_row("bytes out", f"{bytes_words(report.bytes_out)} ({ratio:.3f} of in)")
    table.add_row("time", duration_words(report.seconds))
    if report.files_now:
        table.add_row("speed", f"{report.files_now / report.seconds:,.0f} images/s")
    # Above the table, where a long path is not broken and can be copied.
    click.echo(name_words(str(report.path)))
    Console().print(table)
