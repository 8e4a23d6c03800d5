"""A pack of very many rows whose records are a few photos again and again.

What a loader holds in memory for each row shows without terabytes on the disk: the index has every
row, and all rows of a photo point to the same bytes of the one shard.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa

from fastload.store import Pack, open_pack
from fastload.store.index import index_schema
from fastload.store.manifest import INDEX_NAME, MANIFEST_NAME, IndexEntry
from fastload.store.shards import SHARDS_NAME


def repeat_rows(path: str, rows: int, target: Path) -> None:
    """Write a pack of so many rows: the records of a pack's first shard again and again.

    Args:
        path: the pack; its shard is linked to, not copied.
        rows: how many.
        target: the new pack's folder; one that is there already is taken to be it.
    """
    if (target / MANIFEST_NAME).exists():
        return
    pack = open_pack(path)
    shard = pack.manifest.shards[0]
    (target / SHARDS_NAME).mkdir(parents=True, exist_ok=True)
    (target / SHARDS_NAME / shard.name).hardlink_to(pack.shard_file(0))
    batch = _rows(pack, shard.records, rows)
    index = target / INDEX_NAME
    with pa.ipc.new_file(str(index), batch.schema) as writer:
        writer.write_batch(batch)
    with index.open("rb") as file:
        # 64 MiB at a time: the index of ten million rows is not to be in memory twice.
        digest = sha256()
        while part := file.read(1 << 26):
            digest.update(part)
    counts = np.bincount(batch["label"].to_numpy(), minlength=len(pack.classes)).tolist()
    manifest = replace(
        pack.manifest,
        classes=tuple(
            replace(entry, count=count)
            for entry, count in zip(pack.manifest.classes, counts, strict=True)
        ),
        shards=(replace(shard, records=len(batch)),),
        index=IndexEntry(index.stat().st_size, digest.hexdigest()),
    )
    (target / MANIFEST_NAME).write_bytes(manifest.to_json())


def _rows(pack: Pack, records: int, rows: int) -> pa.RecordBatch:
    index, schema = pack.index, index_schema(binary_paths=False)
    paths = pa.array(index.paths(range(records)), pa.large_string())
    columns = [
        np.argsort(np.resize(index.label[:records], rows), kind="stable").astype(np.uint64)
        if name == "listing"
        else np.resize(getattr(index, name)[:records], rows)
        for name in schema.names
        if name != "path"
    ]
    columns.append(paths.take(pa.array(np.resize(np.arange(records), rows))))
    return pa.record_batch(columns, schema=schema)
