"""``fastload export``: a pack in the format of another program."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from fastload.cli.resumable import INTERRUPTED
from fastload.cli.telling import tell
from fastload.cli.watching import watching
from fastload.cpus import usable_cpus
from fastload.export.beton import write_beton
from fastload.export.image_file import name_saying
from fastload.export.label_folder import write_label_folder
from fastload.export.parquet import write_parquet
from fastload.export.selection import select
from fastload.export.webdataset import (
    shard_pattern,
    shards_of_pack,
    unread_by_others,
    write_shards,
)
from fastload.pack.encode import load_plugins
from fastload.pack.options import Options
from fastload.pack.target import refuse_inside
from fastload.sizes import parse_size
from fastload.store import open_pack
from fastload.store.split import PARTS
from fastload.store.verify import faults
from fastload.words import bytes_words, name_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastload.export.selection import Selection
    from fastload.store import Pack

__all__ = ["command"]

_SHARD_SIZE = "256MB"


@click.command(name="export", short_help="Write a pack in the format of another program.")
@click.argument("pack", type=click.Path(path_type=Path))
@click.argument("output", type=click.Path(path_type=Path), required=False)
@click.option(
    "--to",
    "target",
    type=click.Choice(["ffcv", "imagefolder", "webdataset", "parquet"]),
    required=True,
    help="The format.",
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    help="Make a JPEG of this quality of what is none (lossy).",
)
@click.option("--split", help="Export a part of this split alone: folds5.")
@click.option("--fold", type=int, help="The fold of the split that validates.")
@click.option("--part", type=click.Choice(PARTS), help="The part of the split.")
@click.option(
    "--shard-size",
    help=f"Bytes of images in a file, of webdataset and parquet.  [{_SHARD_SIZE}]",
)
@click.option("--workers", type=click.IntRange(1), help="Threads.  [the usable CPUs]")
def command(
    pack: Path,
    output: Path | None,
    target: str,
    quality: int | None,
    split: str | None,
    fold: int | None,
    part: str | None,
    shard_size: str | None,
    workers: int | None,
) -> None:
    """Write the images of PACK to OUTPUT as another program reads them; PACK is only read.

    \b
    ffcv         a .beton file
    imagefolder  a folder of images, a sub-folder a class
    webdataset   a folder of tar files; without OUTPUT, PACK's own are checked and named
    parquet      a folder of Parquet files for Hugging Face's datasets, or one FILE.parquet

    JPEG is passed on as it is. What is none becomes PNG, or raw pixels in a .beton file.
    """  # noqa: D301 - click wants the character itself
    if shard_size is not None and target not in ("webdataset", "parquet"):
        raise click.UsageError(f"--to {target} writes no shards: leave out --shard-size.")
    threads = workers or usable_cpus()
    load_plugins()
    with _in_words():
        size = Options(shard_size=parse_size(shard_size or _SHARD_SIZE, "--shard-size")).shard_size
        opened = open_pack(pack)
        selection = select(opened, split, fold, part)
        if output is None:
            if target != "webdataset" or split is not None or quality is not None:
                raise click.UsageError(f"--to {target} needs a place to write to: OUTPUT.")
            _check_shards(opened, threads)
            return
        refuse_inside(output, pack, "pack that is exported")
        _TARGETS[target](_Job(selection, output, quality, size, threads))


@dataclass(frozen=True)
class _Job:
    """What is exported where, and how."""

    selection: Selection
    output: Path
    quality: int | None
    shard_size: int
    workers: int

    def tell(self, words: str) -> None:
        images = len(self.selection)
        click.echo(f"{name_words(str(self.output))}: {images:,} images, {words}.")
        if self.selection.pack.manifest.unlabelled:
            click.echo("The pack has no classes, so there are no labels.")


def _to_ffcv(job: _Job) -> None:
    with watching("exporting") as show:
        written = write_beton(job.selection, job.output, job.workers, show, quality=job.quality)
    job.tell(bytes_words(written.size))
    if written.raw:
        tell(
            f"{written.raw:,} images are no JPEG and are stored as raw pixels, "
            f"{bytes_words(written.raw_bytes)}; --quality 95 makes JPEG of them."
        )


def _to_label_folder(job: _Job) -> None:
    with watching("exporting") as show:
        written = write_label_folder(
            job.selection, job.output, name_saying, job.workers, show, quality=job.quality
        )
    job.tell(bytes_words(written))
    empty = _empty_classes(job.selection)
    if empty:
        tell(
            f"Classes without images: {empty:,}. torchvision's ImageFolder takes such a folder "
            "with allow_empty=True."
        )


def _to_webdataset(job: _Job) -> None:
    with watching("exporting") as show:
        shards = write_shards(
            job.selection, job.output, job.shard_size, job.workers, show, quality=job.quality
        )
    job.tell(bytes_words(sum(shard.size for shard in shards)))
    click.echo(name_words(shard_pattern(job.output, len(shards))))


def _to_parquet(job: _Job) -> None:
    with watching("exporting") as show:
        files = write_parquet(
            job.selection, job.output, job.shard_size, job.workers, show, quality=job.quality
        )
    job.tell("1 file" if files == 1 else f"{files:,} files")


_TARGETS: dict[str, Callable[[_Job], None]] = {
    "ffcv": _to_ffcv,
    "imagefolder": _to_label_folder,
    "webdataset": _to_webdataset,
    "parquet": _to_parquet,
}


def _empty_classes(selection: Selection) -> int:
    pack = selection.pack
    if pack.manifest.unlabelled:
        return 0
    labels = pack.index.label[selection.samples]
    return int((np.bincount(labels, minlength=len(pack.classes)) == 0).sum())


def _check_shards(pack: Pack, workers: int) -> None:
    """Say how other programs read the pack's own shards, once they are found whole."""
    where = name_words(str(pack.root))
    unread = unread_by_others(pack)
    if unread:
        members = " and ".join(f"{count:,} {kind}" for kind, count in unread.items())
        recode = f"`fastload recode {where} --codec jpeg` makes .jpg of .dct; " * (".dct" in unread)
        raise click.ClickException(
            f"{where}: {members} of {len(pack):,} images are of a kind that other programs do not "
            f"decode. {recode}`fastload export {where} OUTPUT --to webdataset` writes shards of "
            ".jpg and .png."
        )
    with watching("checking") as show:
        total = len(pack)
        found = list(faults(pack, None, workers, lambda done: show(done, total, 0, 0)))
    if found:
        raise click.ClickException(
            f"{where} has {len(found):,} faults, the first in {found[0].file}: {found[0].reason}. "
            "`fastload verify` names all."
        )
    labels = "with" if pack.manifest.options.get("cls") else "without"
    tell(
        f"{where}: its shards are WebDataset shards as they are, {total:,} images {labels} labels "
        "(.cls), each member as it was packed."
    )
    if labels == "without" and not pack.manifest.unlabelled:
        tell("It was packed with --no-cls: name an OUTPUT for new shards, which have labels.")
    click.echo(name_words(shards_of_pack(pack)))


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """Errors and Ctrl-C as messages and exit codes."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Interrupted. Nothing is left of what was written.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(str(error)) from error
