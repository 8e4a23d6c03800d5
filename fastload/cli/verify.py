"""``fastload verify``: whether every byte of a pack is as it was packed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fastload.cli.watching import watching
from fastload.cpus import usable_cpus
from fastload.pack.append import AppendJournal
from fastload.pack.encode import load_plugins
from fastload.store import open_pack
from fastload.store.decoding import decode_record
from fastload.store.verify import Fault, faults
from fastload.words import name_words

if TYPE_CHECKING:
    from fastload.store import Pack

__all__ = ["command"]


@click.command(name="verify", short_help="Check every byte of a pack.")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option("--decode", is_flag=True, help="Decode every image as well.")
@click.option("--workers", type=click.IntRange(1), help="Threads.  [the usable CPUs]")
def command(pack: Path, decode: bool, workers: int | None) -> None:
    """Check the structure of PACK and every checksum; name each bad record.

    The exit code is 0 where all is well, 1 where something is not.
    """
    found = 0
    try:
        opened = open_pack(pack)
        with watching("verifying") as show:
            sizes = [shard.size for shard in opened.manifest.shards]

            def progress(records: int) -> None:
                done = sum(
                    size
                    for number, size in enumerate(sizes)
                    if opened.shard_records(number).stop <= records
                )
                show(records, len(opened), done, sum(sizes))

            load_plugins()
            decoder = _decoded_size if decode else None
            for fault in faults(opened, decoder, workers or usable_cpus(), progress):
                found += 1
                click.echo(_words(fault))
    except OSError as error:
        raise click.ClickException(str(error)) from error
    if found:
        raise click.ClickException(
            f"{pack}: {found:,} {'fault' if found == 1 else 'faults'}. Restore the named files "
            "from a copy, or pack the label folder again."
        )
    if (pack / AppendJournal.name).is_dir():
        click.echo(
            f"{name_words(str(pack))}: an append did not come to its end, which changes nothing. "
            "Run it again to go on; the next append removes what it left."
        )
    looked = "decodes and its bytes are" if decode else "is"
    where, records = name_words(str(pack)), f"{len(opened):,} records"
    click.echo(f"{where}: each of the {records} {looked} as it was packed.")


def _decoded_size(pack: Pack, record: int) -> tuple[int, int]:
    return decode_record(pack, record).size


def _words(fault: Fault) -> str:
    if fault.record is None:
        return f"{fault.file}: {fault.reason}"
    path = "" if fault.path is None else f" ({name_words(fault.path)})"
    return f"{fault.file}: record {fault.record}{path}: {fault.reason}"
