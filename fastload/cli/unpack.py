"""``fastload unpack``: a pack becomes a label folder again."""

from __future__ import annotations

from pathlib import Path

import click

from fastload.cli.watching import watching
from fastload.cpus import usable_cpus
from fastload.export.label_folder import write_label_folder
from fastload.export.selection import Selection
from fastload.pack.encode import load_plugins
from fastload.store import open_pack
from fastload.store.paths import beside
from fastload.words import bytes_words, name_words

__all__ = ["command"]


@click.command(name="unpack", short_help="Give the label folder back.")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The label folder.  [PACK.unpacked]"
)
@click.option("--workers", type=click.IntRange(1), help="Threads.  [the usable CPUs]")
def command(pack: Path, output: Path | None, workers: int | None) -> None:
    """Write the images of PACK to a label folder, under the paths they had.

    The pixels are those of the pack; a pack made with --verbatim gives the very bytes back. What
    is kept as JPEG or as its coefficients is written as JPEG, anything else as PNG under its old
    name; readers go by the bytes, as ImageFolder does.
    """
    folder = beside(pack, ".unpacked") if output is None else output
    load_plugins()
    try:
        opened = open_pack(pack)
        with watching("unpacking") as show:
            written = write_label_folder(
                Selection(opened, opened.index.listing.astype(int)),
                folder,
                lambda path, _: path,
                workers or usable_cpus(),
                show,
            )
    except OSError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name_words(str(folder))}: {len(opened):,} images, {bytes_words(written)}.")
    rejected = opened.manifest.source.rejected_in_all
    if rejected:
        click.echo(f"{rejected:,} files of the source were never packed.")
