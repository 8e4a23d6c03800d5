"""Parquet as Hugging Face's ``datasets`` has it: a column of images, a column of labels."""

from __future__ import annotations

import json
from collections import Counter
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fastload.errors import PackError
from fastload.export.image_file import image_file, name_saying
from fastload.export.output import new_file, new_folder
from fastload.export.stream import converted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastload.export.image_file import ImageFile
    from fastload.export.selection import Selection
    from fastload.store import Pack

__all__ = ["ROW_GROUP", "write_parquet"]

# Readers take a row group at a time: it has to fit their memory several times.
ROW_GROUP = 100 * 10**6
# Of Arrow's type binary, which is what `datasets` wants.
_MOST_BYTES = 2**31 - 1
# By the names of files `datasets` tells splits; what says nothing is the split "train".
_SPLITS = {None: "data", "train": "train", "val": "validation"}

# Images are compressed already, and no two are the same.
_OPTIONS: dict[str, Any] = {
    "compression": "none",
    "use_dictionary": ["label"],
    "write_statistics": ["label"],
    # Rows until a page may end: by default one page would have all images of a group.
    "write_batch_size": 64,
}

_Row = tuple[str, int, "ImageFile"]


def write_parquet(
    selection: Selection,
    output: Path,
    file_size: int,
    workers: int,
    progress: Callable[[int, int, int, int], None],
    *,
    quality: int | None = None,
) -> int:
    """Write images to one Parquet file, or to a folder of several.

    Rows are in the pack's order, which is shuffled. ``path`` is the image's path with an extension
    that says what its bytes are.

    Args:
        selection: the images.
        output: a name that ends in ``.parquet`` for one file, else a folder.
        file_size: image bytes a file in a folder has, up to a row group more or less.
        workers: threads that convert.
        progress: called with how far it is.
        quality: make a JPEG of this quality of what is none.

    Returns:
        How many files there are.

    Raises:
        PackError: a record is damaged, ``output`` has something in it already, two classes would
            have the same name, or the disk is full.
    """
    pack = selection.pack

    def convert(record: int) -> _Row:
        path = pack.index.path(record)
        file = image_file(pack, record, quality=quality)
        if len(file.data) > _MOST_BYTES:
            raise PackError(
                f"{pack.root}: {pack.describe(record)} has {len(file.data):,} bytes, a Parquet "
                f"file has {_MOST_BYTES:,} an image at most. Pack with --max-side."
            )
        return as_unicode(name_saying(path, file.extension)), int(pack.index.label[record]), file

    schema = _schema(pack)
    groups = _groups(converted(selection, convert, workers, progress), min(ROW_GROUP, file_size))
    if output.suffix == ".parquet":
        with new_file(output) as file:
            _write(file, schema, groups)
        return 1
    with new_folder(output) as growing:
        return _write_files(growing, _SPLITS[selection.part], schema, groups, file_size)


def as_unicode(name: str) -> str:
    r"""A name with the bytes that are no UTF-8 written as escapes: Parquet's strings have none.

    >>> as_unicode("caf\udce9/가.jpg")
    'caf\\xe9/가.jpg'
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _schema(pack: Pack) -> pa.Schema:
    """The columns, and in the metadata what `datasets` makes of them."""
    columns = [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    if not pack.manifest.unlabelled:
        columns.append(("label", pa.int64()))
        features["label"] = {"names": _class_names(pack), "_type": "ClassLabel"}
    facts = json.dumps({"info": {"features": features}}, ensure_ascii=False)
    return pa.schema(columns, {"huggingface": facts.encode()})


def _class_names(pack: Pack) -> list[str]:
    names = [as_unicode(name) for name in pack.classes]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise PackError(
            f"{pack.root}: two classes would be named {name!r}, as one name is not UTF-8: rename "
            "its folder and pack again."
        )
    return names


def _groups(rows: Iterator[_Row], limit: int) -> Iterator[list[_Row]]:
    """Rows gathered up to so many bytes of images."""
    group: list[_Row] = []
    size = 0
    for row in rows:
        length = len(row[-1].data)
        if group and size + length > limit:
            yield group
            group, size = [], 0
        group.append(row)
        size += length
    if group:
        yield group


def _write_files(
    folder: Path, split: str, schema: pa.Schema, groups: Iterator[list[_Row]], file_size: int
) -> int:
    """Write files that are named when it is known how many they are."""
    written: list[Path] = []
    waiting = next(groups, None)
    while waiting is not None:
        file = folder / f"{len(written):05d}"
        with file.open("xb") as opened, pq.ParquetWriter(opened, schema, **_OPTIONS) as writer:
            size = 0
            while waiting is not None and (not size or size + _bytes(waiting) <= file_size):
                size += _bytes(waiting)
                writer.write_table(_table(waiting, schema), row_group_size=len(waiting))
                waiting = next(groups, None)
        written.append(file)
    for number, file in enumerate(written):
        file.replace(folder / f"{split}-{number:05d}-of-{len(written):05d}.parquet")
    return len(written)


def _write(file: IO[bytes], schema: pa.Schema, groups: Iterator[list[_Row]]) -> None:
    with pq.ParquetWriter(file, schema, **_OPTIONS) as writer:
        for group in groups:
            writer.write_table(_table(group, schema), row_group_size=len(group))


def _bytes(group: list[_Row]) -> int:
    return sum(len(file.data) for _, _, file in group)


def _table(group: list[_Row], schema: pa.Schema) -> pa.Table:
    data = _binary([file.data for _, _, file in group])
    paths = pa.array([path for path, _, _ in group], pa.string())
    columns = [pa.StructArray.from_arrays([data, paths], ["bytes", "path"])]
    if len(schema) > 1:
        columns.append(pa.array([label for _, label, _ in group], pa.int64()))
    return pa.table(columns, schema=schema)


def _binary(values: list[bytes | memoryview]) -> pa.Array:
    """An array of the bytes; pyarrow's own conversion never lets go of a memoryview's memory."""
    offsets = np.cumsum([0, *map(len, values)], dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    return pa.BinaryArray.from_buffers(pa.binary(), len(values), buffers)
