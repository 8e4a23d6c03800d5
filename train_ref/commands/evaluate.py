"""``python -m train_ref eval``: a checkpoint's scores on labelled images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from train_ref.errors import TrainError
from train_ref.flags import names_in

if TYPE_CHECKING:
    import fastload
    from train_ref.checkpoint import Loaded
    from train_ref.config import Config
    from train_ref.ensemble import Member
    from train_ref.metrics import Scores

__all__ = ["command"]


@click.command(name="eval", short_help="Score a checkpoint on labelled images.")
@click.option("--ckpt", required=True, type=click.Path(path_type=Path), help="Checkpoint.")
@click.option("--data", help="Pack or label folder.  [the run's validation images]")
@click.option("--split", help="Name of a split of it.")
@click.option("--fold", type=int, help="Of the split.")
@click.option("--part", default="val", show_default=True, help="Of the split: train or val.")
@click.option(
    "--tta", default="", metavar="A,B", help="Views: flip, dihedral, multi-crop, multi-scale."
)
@click.option("--batch-size", type=int, help="Images at a time.  [the training's]")
@click.option("--workers", type=int, help="Threads of the loader.  [one a CPU]")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
@click.option("--json", "as_json", is_flag=True, help="Print all figures as one JSON object.")
def command(
    ckpt: Path,
    data: str | None,
    split: str | None,
    fold: int | None,
    part: str,
    tta: str,
    as_json: bool,
    **settings: Any,
) -> None:
    """Score a checkpoint, its tau applied, next to what a constant answer reaches."""
    from train_ref.distributed import joined
    from train_ref.ensemble import load_members

    with joined(settings["device"]) as place:
        (member,) = load_members([ckpt], place.device)
        loaded = member.loaded
        given = {name: value for name, value in settings.items() if value is not None}
        config = loaded.config.replace(**given)
        images = _images(config, data, split, fold, part)
        scores = _scores(member, config, images, names_in(tta) or ())
        _print(loaded, images, scores, as_json=as_json)


def _images(
    config: Config, data: str | None, split: str | None, fold: int | None, part: str
) -> fastload.ImageFolder:
    import fastload
    from train_ref.data import open_data, open_parts

    if data is None:
        if split is not None or fold is not None:
            raise TrainError("--split and --fold are of --data: give the pack that has them.")
        own = open_parts(config).val
        if own is None:
            raise TrainError("The run has no validation images: name some by --data.")
        return own
    whole = open_data(config, data)
    if split is None:
        return whole
    try:
        return fastload.ImageFolder(whole.root, split=split, fold=fold, part=part)
    except (fastload.FastloadError, ValueError) as error:
        raise TrainError(str(error)) from error


def _scores(
    member: Member, config: Config, images: fastload.ImageFolder, views: tuple[str, ...]
) -> Scores:
    from train_ref.ensemble import predict_shares
    from train_ref.metrics import score

    loaded = member.loaded
    if tuple(images.classes) != loaded.classes:
        raise TrainError(
            f"The classes of {images.root} ({', '.join(images.classes) or 'none'}) are not the "
            f"checkpoint's ({', '.join(loaded.classes)})."
        )
    shares = predict_shares([member], images, config, views)
    return score(shares, np.asarray(images.targets), loaded.counts)


def _print(loaded: Loaded, images: fastload.ImageFolder, scores: Scores, *, as_json: bool) -> None:
    from train_ref.distributed import is_first
    from train_ref.metrics import METRICS

    if not is_first():
        return
    if as_json:
        figures = {**scores.headline(), "tau": loaded.tau, "images": len(images)}
        classes = _by_class(loaded.classes, scores)
        click.echo(json.dumps({**figures, "classes": classes}, ensure_ascii=False, indent=1))
        return
    click.echo(f"{len(images):,} images of {images.root}, tau {loaded.tau:.3f}")
    for name in METRICS:
        floor = scores.floors[name]
        click.echo(f"{name:<18} {scores.value(name):.4f}  (a constant answer: {floor:.4f})")
    for name, group in scores.groups.items():
        words = f"classes: {group.classes}, images: {group.images:,}"
        click.echo(f"{name:<18} {group.accuracy:.4f}  ({words})")


def _by_class(classes: tuple[str, ...], scores: Scores) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "images": int(scores.support[label]),
            "precision": float(scores.precision[label]),
            "recall": float(scores.recall[label]),
            "f1": float(scores.f1[label]),
        }
        for label, name in enumerate(classes)
    ]
