"""The last step: index, rejected.csv, and the manifest that makes the folder a pack."""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL
import pyarrow as pa

from fastload.pack.rejected import REJECTED_NAME
from fastload.store.codec import Codec
from fastload.store.durable import TEMPORARY, publish, write_file
from fastload.store.index import index_schema
from fastload.store.manifest import (
    APPENDED,
    BINARY_PATHS,
    DCT_RECORDS,
    MANIFEST_NAME,
    UNLABELLED,
    ClassEntry,
    IndexEntry,
    Manifest,
    index_name,
    version_with,
)
from fastload.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fastload.pack.flow import Written
    from fastload.pack.scan import Listing
    from fastload.store.manifest import ShardEntry, Source

__all__ = ["commit", "joined_psnr", "psnr_summary", "writer_versions"]

# Bytes hashed at a time.
_STEP = 1 << 20


def commit(
    root: Path,
    listing: Listing,
    written: Written,
    *,
    source: Source,
    options: dict[str, Any],
    rejected: bytes,
    measured: dict[str, float],
    writer: dict[str, str],
) -> Manifest:
    """Write all that is not a shard; ``pack.json`` comes last.

    Args:
        root: the pack's folder, its shards finished.
        listing: the images.
        written: what is in the shards.
        source: of the manifest, as the rest.
        options: that decided the pack's bytes.
        rejected: the bytes of ``rejected.csv``.
        measured: of a lossy pack.
        writer: see :func:`writer_versions`.
    """
    rows, shards = written.rows, written.shards
    labels = listing.labels[rows["source"]]
    paths = [listing.paths[place] for place in rows["source"].tolist()]
    there = {
        BINARY_PATHS: not _all_utf8(paths),
        DCT_RECORDS: bool((rows["codec"] == Codec.DCT).any()),
        APPENDED: bool(source.appended),
        UNLABELLED: not listing.classes,
    }
    features = tuple(feature for feature, needed in there.items() if needed)
    batch = _index(rows, shards, labels, paths, binary_paths=there[BINARY_PATHS])
    index = _write_index(root / index_name(len(source.appended)), batch)
    write_file(root / REJECTED_NAME, rejected)
    counts = np.bincount(labels, minlength=len(listing.classes)).tolist()
    manifest = Manifest(
        classes=tuple(map(ClassEntry, listing.classes, counts)),
        shards=tuple(shards),
        index=index,
        source=source,
        options=options,
        features=features,
        measured=measured,
        writer=writer,
        version=version_with(features),
    )
    write_file(root / MANIFEST_NAME, manifest.to_json())
    return manifest


def writer_versions() -> dict[str, str]:
    """Names and versions of what decides the bytes of a pack besides the source and the options."""
    return {"fastload": __version__, "pillow": PIL.__version__, "pyarrow": pa.__version__}


def _all_utf8(paths: Sequence[str]) -> bool:
    try:
        for path in paths:
            path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _index(
    rows: NDArray[np.void],
    shards: Sequence[ShardEntry],
    labels: NDArray[np.uint32],
    paths: Sequence[str],
    *,
    binary_paths: bool,
) -> pa.RecordBatch:
    counts = [entry.records for entry in shards]
    columns = {
        "shard": np.repeat(np.arange(len(shards), dtype=np.uint32), counts),
        "label": labels,
        "listing": np.argsort(rows["source"], kind="stable").astype(np.uint64),
    }
    schema = index_schema(binary_paths=binary_paths)
    arrays = []
    for field in schema:
        if field.name == "path":
            values = map(os.fsencode, paths) if binary_paths else paths
            arrays.append(pa.array(values, field.type))
        else:
            column = columns[field.name] if field.name in columns else rows[field.name]
            arrays.append(pa.array(np.ascontiguousarray(column), field.type))
    return pa.record_batch(arrays, schema=schema)


def _write_index(path: Path, batch: pa.RecordBatch) -> IndexEntry:
    temporary = path.with_name(path.name + TEMPORARY)
    with temporary.open("w+b") as file:
        with pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        digest = hashlib.sha256()
        while step := file.read(_STEP):
            digest.update(step)
        publish(file, path)
    return IndexEntry(size, digest.hexdigest(), path.name)


def psnr_summary(psnr: NDArray[np.float64]) -> dict[str, float]:
    """What ``pack.json`` tells of the records' PSNR in dB, which is NaN where nothing was lost."""
    lossy = psnr[~np.isnan(psnr)]
    if not len(lossy):
        return {}
    return {
        "lossy_records": len(lossy),
        "psnr_mean_db": round(float(lossy.mean()), 3),
        "psnr_worst_db": round(float(lossy.min()), 3),
    }


def joined_psnr(before: dict[str, float], added: dict[str, float]) -> dict[str, float]:
    """What ``pack.json`` tells of a pack's records and of those that were added to it.

    >>> one = {"lossy_records": 1, "psnr_mean_db": 40.0, "psnr_worst_db": 40.0}
    >>> two = {"lossy_records": 3, "psnr_mean_db": 36.0, "psnr_worst_db": 30.0}
    >>> joined_psnr(one, two)
    {'lossy_records': 4, 'psnr_mean_db': 37.0, 'psnr_worst_db': 30.0}
    """
    if not before or not added:
        return before or added
    records = before["lossy_records"] + added["lossy_records"]
    in_all = sum(part["lossy_records"] * part["psnr_mean_db"] for part in (before, added))
    return {
        "lossy_records": records,
        "psnr_mean_db": round(in_all / records, 3),
        "psnr_worst_db": min(before["psnr_worst_db"], added["psnr_worst_db"]),
    }
