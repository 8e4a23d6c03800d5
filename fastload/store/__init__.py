"""The pack on disk, read: manifest, index and shards (docs/format.md is the normative text)."""

from __future__ import annotations

from fastload.store.codec import Codec
from fastload.store.index import Index
from fastload.store.manifest import ClassEntry, IndexEntry, Manifest, ShardEntry, Source
from fastload.store.pack import Pack, open_pack
from fastload.store.split import Split, open_split, split_names

__all__ = [
    "ClassEntry",
    "Codec",
    "Index",
    "IndexEntry",
    "Manifest",
    "Pack",
    "ShardEntry",
    "Source",
    "Split",
    "open_pack",
    "open_split",
    "split_names",
]
