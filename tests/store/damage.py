"""Packs that were changed after they were written, with sizes and hashes that agree again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fastload.native.library import crc32c
from fastload.store import open_pack


def rewrite_manifest(pack: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((pack / "pack.json").read_bytes())
    change(content)
    (pack / "pack.json").write_text(json.dumps(content))


def declare_index(pack: Path) -> None:
    """Make the manifest agree with the index as it is now."""
    data = (pack / "index.arrow").read_bytes()
    entry = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    rewrite_manifest(pack, lambda content: content["index"].update(entry))


def read_index(pack: Path) -> pa.Table:
    return pa.ipc.open_file((pack / "index.arrow").read_bytes()).read_all()


def write_index(pack: Path, table: pa.Table, compression: str | None = None) -> None:
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(pack / "index.arrow", table.schema, options=options) as writer:
        writer.write_table(table)
    declare_index(pack)


def rewrite_column(pack: Path, name: str, change: Callable[[np.ndarray], object]) -> None:
    """Change the values of a column in place."""
    table = read_index(pack)
    place = table.schema.get_field_index(name)
    values = table.column(name).to_numpy().copy()
    change(values)
    field = table.schema.field(name)
    write_index(pack, table.set_column(place, field, pa.array(values, field.type)))


def rewrite_payload(pack: Path, record: int, payload: bytes) -> None:
    """Put bytes in the place of a record's, with the right checksum, as a broken writer would.

    They are no longer than the record and the padding behind it.
    """
    opened = open_pack(pack)
    offset, length = int(opened.index.offset[record]), int(opened.index.length[record])
    assert len(payload) <= length + -length % 512
    shard = pack / opened.shard_name(record)
    data = bytearray(shard.read_bytes())
    data[offset : offset + len(payload)] = payload
    shard.write_bytes(data)
    for column, value in (("length", len(payload)), ("crc32c", crc32c(payload))):
        rewrite_column(pack, column, lambda values, value=value: values.__setitem__(record, value))


def rewrite_paths(pack: Path, paths: list[str]) -> None:
    table = read_index(pack)
    place = table.schema.get_field_index("path")
    field = table.schema.field("path")
    write_index(pack, table.set_column(place, field, pa.array(paths, field.type)))


def flip(pack: Path, place: int) -> None:
    """Flip one bit of the byte at ``place`` of the first shard."""
    shard = pack / "shards" / "00000.tar"
    data = bytearray(shard.read_bytes())
    data[place] ^= 1
    shard.write_bytes(data)
