"""``python -m train_ref predict``: a table of answers for images without labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from train_ref.errors import TrainError
from train_ref.flags import names_in
from train_ref.submission import ID_FORMS, rows_of, table, write_table

if TYPE_CHECKING:
    import fastload
    from train_ref.config import Config

__all__ = ["command"]


@click.command(name="predict", short_help="Answer for images, in a CSV file.")
@click.option("--data", required=True, help="Pack, label folder or folder of images.")
@click.option(
    "--ckpt",
    "checkpoints",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="Checkpoint, run's folder, or folder of runs; again for more. Several answer together.",
)
@click.option(
    "--tta", default="", metavar="A,B", help="Views: flip, dihedral, multi-crop, multi-scale."
)
@click.option("--out", default="submission.csv", show_default=True, type=click.Path(path_type=Path))
@click.option(
    "--id",
    "form",
    type=click.Choice(ID_FORMS),
    help="What an image is called.  [path, or what fits the sample]",
)
@click.option(
    "--sample-submission",
    "sample",
    type=click.Path(path_type=Path),
    help="CSV file whose columns, ids and order are taken.",
)
@click.option("--probabilities", is_flag=True, help="A column a class behind the label.")
@click.option("--batch-size", type=int, help="Images at a time.  [the training's]")
@click.option("--workers", type=int, help="Threads of the loader.  [one a CPU]")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
def command(
    data: str,
    checkpoints: tuple[Path, ...],
    tta: str,
    out: Path,
    form: str | None,
    sample: Path | None,
    probabilities: bool,
    **settings: Any,
) -> None:
    """Answer for each image of --data with one of the classes, and write a row for it.

    Several checkpoints, and several views of an image, answer by the mean of their probabilities.
    """
    # torch takes seconds to import, which --help does without.
    from train_ref.data import paths_of
    from train_ref.distributed import device_of
    from train_ref.ensemble import load_members, predict_shares

    members = load_members(checkpoint_files(checkpoints), device_of(settings["device"]))
    config = members[0].loaded.config.replace(
        cache="0",  # each image is read once
        **{name: value for name, value in settings.items() if value is not None},
    )
    dataset = open_images(config, data)
    _, paths = paths_of(dataset)
    rows = rows_of(paths, form, sample)  # what is wrong with it is said before the work
    views = names_in(tta) or ()
    tell_of_mirrored_labels(views, config)
    shares = predict_shares(members, dataset, config, views)
    classes = members[0].loaded.classes
    write_table(out, table(rows, classes, shares, with_probabilities=probabilities))
    click.echo(f"{out}: {len(rows.ids):,} rows")
    rejected = dataset.pack.manifest.source.rejected_in_all
    if rejected:
        click.echo(
            f"{rejected:,} files cannot be read and have no row: {dataset.root}/rejected.csv",
            err=True,
        )


def checkpoint_files(paths: tuple[Path, ...]) -> list[Path]:
    """Find the checkpoints that are meant: of a run's folder best.pt, of one of runs all of theirs.

    Raises:
        TrainError: a folder has none.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        whole = path / "best.pt"
        within = [whole] if whole.is_file() else sorted(path.glob("*/best.pt"))
        if not within:
            raise TrainError(f"{path} has no best.pt, and neither has a folder in it.")
        found += within
    return list(dict.fromkeys(found))


def tell_of_mirrored_labels(views: tuple[str, ...], config: Config) -> None:
    """Say it where views mirror what training did not: it may be another class's image then."""
    from train_ref.progress import say

    spared = ", ".join(config.no_hflip_classes) if config.hflip else "any image"
    if spared and {"flip", "dihedral"} & set(views):
        say(
            f"Note: the model was trained without mirroring {spared}; --tta {','.join(views)} "
            "mirrors all images. multi-crop and multi-scale do not."
        )


def open_images(config: Config, path: str) -> fastload.ImageFolder:
    """Open what is to be answered for: labels, where there are any, are not looked at.

    A folder with images of its own, not only folders of them, is packed without classes, next to
    it; a label folder as for training, so that both find the same pack.

    Raises:
        TrainError: it cannot be read or packed.
    """
    import fastload
    from train_ref.data import open_data
    from train_ref.progress import say

    root = Path(path).expanduser()
    if not has_images(root):
        return open_data(config, path)
    try:
        done = fastload.pack(root, unlabelled=True, workers=config.workers or None)
    except (fastload.FastloadError, OSError, ValueError) as error:
        raise TrainError(str(error)) from error
    say(f"{root} has images without classes; {done.path}, their pack, is read.")
    return open_data(config, done.path)


def has_images(folder: Path) -> bool:
    """Whether a folder has image files of its own, told by their endings as ImageFolder does."""
    from torchvision.datasets.folder import IMG_EXTENSIONS

    return folder.is_dir() and any(
        one.suffix.lower() in IMG_EXTENSIONS and one.is_file() for one in folder.iterdir()
    )
