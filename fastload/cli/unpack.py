"""``fastload unpack``: a pack becomes a label folder again."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click
from PIL import Image

from fastload.cli.watching import watching
from fastload.cli.words import bytes_words, name_words
from fastload.cpus import usable_cpus
from fastload.errors import PackError
from fastload.native.library import NativeError, jpeg_of_dct, qoi_decode
from fastload.pack.ahead import in_order
from fastload.store import Codec, open_pack
from fastload.store.paths import beside, path_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from fastload.store import Pack

__all__ = ["command"]

# Records one thread writes at a time.
_CHUNK = 32
# Of zlib: quick, and hardly larger than its default; such files are read once or twice.
_PNG_LEVEL = 3


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
    try:
        opened = open_pack(pack)
        written = _unpack(opened, folder, workers or usable_cpus())
    except OSError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name_words(str(folder))}: {len(opened):,} images, {bytes_words(written)}.")
    rejected = opened.manifest.source.rejected_in_all
    if rejected:
        click.echo(f"{rejected:,} files of the source were never packed.")


def _unpack(pack: Pack, folder: Path, workers: int) -> int:
    """Write all records below ``folder``, which appears when it is whole; returns bytes written."""
    if folder.exists() and not folder.is_dir():
        raise PackError(f"{folder} is a file: choose another name with --output.")
    if folder.exists() and any(folder.iterdir()):
        raise PackError(f"{folder} is not empty: choose another folder with --output.")
    chunks = [range(first, min(first + _CHUNK, len(pack))) for first in range(0, len(pack), _CHUNK)]
    written = 0
    with (
        _whole_or_not_at_all(folder) as growing,
        watching("unpacking") as show,
        ThreadPoolExecutor(workers, "fastload-unpack") as executor,
    ):
        for name in pack.classes:
            (growing / name).mkdir()
        total = int(pack.index.length.sum(dtype=int))
        stored = 0
        show(0, len(pack), stored, total)
        for chunk, size in in_order(
            executor, lambda chunk: (chunk, _write(pack, growing, chunk)), chunks, 2 * workers
        ):
            written += size
            stored += int(pack.index.length[chunk.start : chunk.stop].sum(dtype=int))
            show(chunk.stop, len(pack), stored, total)
    return written


@contextlib.contextmanager
def _whole_or_not_at_all(folder: Path) -> Iterator[Path]:
    """Yields a folder to fill, which becomes ``folder`` in the end and is removed on an error."""
    growing = folder.with_name(folder.name + ".tmp")
    try:
        growing.mkdir(parents=True)
    except FileExistsError as error:
        raise PackError(
            f"{growing} is in the way: remove it if it is left from an unpacking that was killed, "
            "or choose another folder with --output."
        ) from error
    except OSError as error:
        raise PackError(
            f"{folder} cannot be written ({error.strerror}): choose another folder with --output."
        ) from error
    try:
        yield growing
        growing.replace(folder)
    except BaseException:
        shutil.rmtree(growing, ignore_errors=True)
        raise


def _write(pack: Pack, folder: Path, records: range) -> int:
    written = 0
    for record in records:
        path = pack.index.path(record)
        fault = path_fault(path, pack.class_name(record))
        if fault is not None:
            raise PackError(f"{pack.root}: record {record}: {fault}. Nothing is written.")
        data = _file_bytes(pack, record)
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with _new_file(target) as file:
            file.write(data)
        written += len(data)
    return written


def _new_file(path: Path) -> io.BufferedWriter:
    """A file that did not exist: two records of one path are an error, and no link is followed."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    return os.fdopen(handle, "wb")


def _file_bytes(pack: Pack, record: int) -> bytes | memoryview:
    payload, codec = pack.sound_payload(record), pack.index.codec[record]
    try:
        if codec == Codec.DCT:
            return jpeg_of_dct(payload)
        if codec == Codec.QOI:
            return _png(qoi_decode(payload))
    except NativeError as error:
        raise pack.damaged(record, str(error)) from error
    return payload


def _png(pixels: NDArray[np.uint8]) -> bytes:
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG", compress_level=_PNG_LEVEL)
    return png.getvalue()
