"""``fastload view``: a page to look at what a pack holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastload.cli.telling import tell
from fastload.cli.watching import watching
from fastload.cli.writing import check_folder, writing
from fastload.cpus import usable_cpus
from fastload.presets import PRESETS
from fastload.words import bytes_words, name_words

if TYPE_CHECKING:
    from fastload.augment import Pipeline
    from fastload.survey.facts import Asked

__all__ = ["command"]

_SUFFIX = ".view.html"
_SEEDS = 2**64 - 1
_PORTS = 65535


@click.command(name="view", short_help="Make a page to look at a pack.")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page.  [PACK.view.html beside the pack]",
)
@click.option("--serve", is_flag=True, help="Show all images, from a server on this machine.")
@click.option("--port", type=click.IntRange(0, _PORTS), help="Of the server.  [any free one]")
@click.option(
    "--transform",
    metavar="NAME",
    default="train",
    show_default=True,
    help=f"What the model sees: {', '.join(PRESETS)}, or program.py:name.",
)
@click.option(
    "--balance", default="none", show_default=True, help="As fastload.DataLoader takes it."
)
@click.option("--seed", type=click.IntRange(0, _SEEDS), default=0, show_default=True)
@click.option("--split", help="Only a part of the split of this name.")
@click.option("--fold", type=click.IntRange(0), help="Which fold validates.")
@click.option("--part", type=click.Choice(["train", "val"]), help="Which part.")
@click.option("--workers", type=click.IntRange(1), help="Threads.  [the usable CPUs]")
def command(
    pack: Path,
    out: Path | None,
    serve: bool,
    port: int | None,
    transform: str,
    balance: str,
    seed: int,
    split: str | None,
    fold: int | None,
    part: str | None,
    workers: int | None,
) -> None:
    """Make one HTML file that shows what PACK holds.

    Classes and their images, sizes, a batch as the model sees it, draws of each class,
    near-duplicates, rejected files. The file needs nothing beside it.
    """
    if serve and out is not None:
        raise click.UsageError("--serve writes no file: leave out --out.")
    if port is not None and not serve:
        raise click.UsageError("--port is the server's: add --serve.")
    place = pack.absolute()
    file = out or place.with_name(place.name.removesuffix(".pack") + _SUFFIX)
    if not serve:
        # Before any work is done for it.
        check_folder(file)
    from fastload.dataset import ImageFolder
    from fastload.survey.facts import Asked

    try:
        dataset = ImageFolder(pack, split=split, fold=fold, part=part)
        threads = workers or usable_cpus()
        asked = Asked(dataset, _pipeline(transform), transform, balance, seed, threads)
        if serve:
            _serve(asked, port or 0)
        else:
            _write(asked, file)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _pipeline(transform: str) -> Pipeline:
    if transform in PRESETS:
        from fastload.survey.presets import preset_pipeline

        return preset_pipeline(transform)
    from fastload.augment import lower
    from fastload.cli.user_code import transform_named

    return lower(transform_named(transform))


def _page(asked: Asked, thumbnails: Any, *, served: bool) -> str:
    from fastload.survey.facts import facts_of
    from fastload.survey.page import page_of

    with watching("comparing") as show:
        facts = facts_of(asked, lambda done, total: show(done, total, 0, 0))
    return page_of(asked, facts, thumbnails, served=served)


def _write(asked: Asked, file: Path) -> None:
    from fastload.survey.thumbnails import Thumbnails

    thumbnails = Thumbnails(asked.dataset, asked.threads)
    try:
        page = _page(asked, thumbnails, served=False).encode()
    finally:
        thumbnails.close()
    with writing(file):
        file.write_bytes(page)
    tell(f"{name_words(str(file))}: {bytes_words(len(page))}.")
    if thumbnails.damaged:
        tell(f"{len(thumbnails.damaged):,} of the images looked at are damaged: the page has them.")


def _serve(asked: Asked, port: int) -> None:
    from fastload.survey.serve import PageServer
    from fastload.survey.thumbnails import Thumbnails

    thumbnails = Thumbnails(asked.dataset, asked.threads)
    try:
        page = _page(asked, thumbnails, served=True)
        with PageServer(page, asked.dataset, thumbnails, port) as server:
            tell(f"{server.address} shows {name_words(str(asked.dataset.root))}; Ctrl-C ends it.")
            server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        thumbnails.close()
