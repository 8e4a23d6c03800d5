"""``fastload split``: a pack divided for validation."""

from __future__ import annotations

from pathlib import Path

import click

from fastload.store import open_pack
from fastload.words import name_words

__all__ = ["command"]

_FOLDS = 5


@click.command(name="split", short_help="Divide a pack into folds or a hold-out.")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option("--folds", type=int, help=f"Folds for cross-validation.  [{_FOLDS}]")
@click.option("--val", type=float, help="A hold-out of this share of the images instead: 0.2.")
@click.option(
    "--group",
    metavar="RULE",
    help="What is kept together: near-duplicates, none, FILE.csv:COLUMN (which also has a column "
    "path), or path:PATTERN.  [near-duplicates]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, other folds.")
@click.option("--name", help="Of the split.  [folds5, holdout20]")
@click.option("--force", is_flag=True, help="Replace another split of this name.")
@click.option("--all-classes", is_flag=True, help="Print all classes, however many.")
def command(
    pack: Path,
    folds: int | None,
    val: float | None,
    group: str | None,
    seed: int,
    name: str | None,
    force: bool,
    all_classes: bool,
) -> None:
    """Divide PACK for validation and write the split into it.

    No group of images is divided, each class is spread as evenly as its groups allow, and every
    class that is validated is also trained. Load a part with ImageFolder(PACK, split="folds5",
    fold=0, part="train").
    """
    if folds is not None and val is not None:
        raise click.UsageError("Give --folds or --val, not both.")
    # What divides a pack brings in torch, which `fastload --help` does without.
    from fastload.cli.split_report import print_report
    from fastload.sample.folds import folds as into_folds
    from fastload.sample.folds import holdout
    from fastload.sample.grouping import NEAR_DUPLICATES, grouping_of

    try:
        opened = open_pack(pack)
        grouping = grouping_of(opened, NEAR_DUPLICATES if group is None else group)
        if val is None:
            count = _FOLDS if folds is None else folds
            split = into_folds(opened, count, group=grouping, seed=seed)
        else:
            split = holdout(opened, val, group=grouping, seed=seed)
        path = split.save(name, replace=force)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name_words(str(path))}: {name_words(split.words)}")
    print_report(split, grouping, all_classes=all_classes)
