"""``fastload info``: what a pack holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastload.errors import PackError
from fastload.store import Codec, open_pack, open_split, split_names
from fastload.store.manifest import UNLABELLED
from fastload.summary import side_quantiles
from fastload.words import bytes_words, name_words

if TYPE_CHECKING:
    from fastload.store import Pack

__all__ = ["command"]

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
# Rows of the class table that fit a screen or two.
_CLASSES_SHOWN = 50
_BAR = 30


@click.command(name="info", short_help="Print what a pack holds.")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--all-classes", is_flag=True, help="Print all classes, however many.")
def command(pack: Path, as_json: bool, all_classes: bool) -> None:
    """Print the classes, sizes, codecs and resolutions of PACK."""
    try:
        facts = _facts(open_pack(pack))
    except OSError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        _print(facts, None if all_classes else _CLASSES_SHOWN)


def _facts(pack: Pack) -> dict[str, Any]:
    manifest, index = pack.manifest, pack.index
    codecs = np.bincount(index.codec, minlength=len(Codec))
    lengths = [int(index.length[index.codec == codec].sum(dtype=np.int64)) for codec in Codec]
    return {
        "path": str(pack.root),
        "version": ".".join(map(str, manifest.version)),
        "required_features": list(manifest.features),
        "images": len(pack),
        "classes": [
            {"name": name_words(entry.name), "images": entry.count} for entry in manifest.classes
        ],
        "shards": len(manifest.shards),
        "bytes": {
            "source": manifest.source.bytes_in_all,
            "shards": sum(shard.size for shard in manifest.shards),
            "images": sum(lengths),
            "index": manifest.index.size,
        },
        "codecs": {
            codec.name.lower(): {"images": int(codecs[codec]), "bytes": lengths[codec]}
            for codec in Codec
            if codecs[codec]
        },
        "resolution": _resolution(pack),
        "rejected": manifest.source.rejected_in_all,
        "appended": [vars(part) for part in manifest.source.appended],
        "options": manifest.options,
        "measured": manifest.measured,
        "writer": manifest.writer,
        "splits": {name: _split_words(pack, name) for name in split_names(pack)},
    }


def _split_words(pack: Pack, name: str) -> str:
    try:
        return open_split(pack, name).words
    except PackError as error:
        # The pack is none the worse for it.
        return f"cannot be used: {error}"


def _resolution(pack: Pack) -> dict[str, dict[str, int]]:
    """What :func:`side_quantiles` tells, by names that JSON and its readers like."""
    sides = side_quantiles(pack.index.width, pack.index.height, _QUANTILES)
    heads = [f"{quantile:.0%}" for quantile in _QUANTILES]
    return {
        name.replace(" ", "_"): dict(zip(heads, values, strict=True))
        for name, values in sides.items()
    }


def _print(facts: dict[str, Any], shown: int | None) -> None:
    console = Console()
    sizes = facts["bytes"]
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("format", f"fastload-pack {facts['version']}")
    unlabelled = UNLABELLED in facts["required_features"]
    classes = "no classes (unlabelled)" if unlabelled else f"{len(facts['classes']):,} classes"
    table.add_row("images", f"{facts['images']:,} in {classes}")
    if facts["appended"]:
        added = sum(part["records"] for part in facts["appended"])
        table.add_row("appended of them", f"{added:,}")
    table.add_row("rejected", f"{facts['rejected']:,}")
    table.add_row("source", bytes_words(sizes["source"]))
    table.add_row("shards", f"{facts['shards']:,}, {bytes_words(sizes['shards'])}")
    table.add_row("index", bytes_words(sizes["index"]))
    for name, codec in facts["codecs"].items():
        table.add_row(f"codec {name}", f"{codec['images']:,}, {bytes_words(codec['bytes'])}")
    for name, value in facts["options"].items():
        if value not in (None, False):
            words = bytes_words(value) if name == "shard_size" else str(value)
            table.add_row(f"option {name}", words)
    for name, value in facts["measured"].items():
        table.add_row(name, str(value))
    # Above the table, where a long path is not broken and can be copied.
    click.echo(name_words(facts["path"]))
    console.print(table)
    for name, words in facts["splits"].items():
        click.echo(f"split {name_words(name)}: {name_words(words)}")
    if facts["resolution"]:
        console.print(_resolution_table(facts["resolution"]))
    if facts["classes"]:
        console.print(_class_table(facts["classes"], shown))


def _resolution_table(resolution: dict[str, dict[str, int]]) -> Table:
    table = Table("pixels", title="resolution")
    for quantile in next(iter(resolution.values())):
        table.add_column(quantile, justify="right")
    for name, quantiles in resolution.items():
        table.add_row(name.replace("_", " "), *map(str, quantiles.values()))
    return table


def _class_table(classes: list[dict[str, Any]], shown: int | None) -> Table:
    table = Table(title="classes")
    table.add_column("label", justify="right")
    table.add_column("class")
    table.add_column("images", justify="right")
    table.add_column()
    largest = max(entry["images"] for entry in classes)
    for label, entry in enumerate(classes[:shown]):
        share = entry["images"] / max(1, largest)
        bar = "█" * round(share * _BAR) or ("▏" if entry["images"] else "")
        table.add_row(str(label), Text(entry["name"]), f"{entry['images']:,}", bar)
    rest = classes[shown:] if shown is not None else []
    if rest:
        images = sum(entry["images"] for entry in rest)
        table.add_row("...", f"{len(rest)} more (--all-classes)", f"{images:,}", "")
    return table
