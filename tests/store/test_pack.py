"""An open pack: where records lie, what it costs to open, who may use it."""

from __future__ import annotations

import ctypes
import gc
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import fastload
from fastload.store import Pack, open_pack
from fastload.store.index import index_schema
from fastload.store.manifest import (
    ClassEntry,
    IndexEntry,
    Manifest,
    ShardEntry,
    Source,
)
from fastload.words import display_name
from tests.plain_reader import read

DIGEST = "0" * 64


@pytest.fixture(scope="module")
def shards_pack(label_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """A pack of several shards."""
    target = tmp_path_factory.mktemp("shards") / "data.pack"
    return open_pack(fastload.pack(label_folder, target, shard_size=30_000).path)


def test_payloads_and_addresses(shards_pack: Pack) -> None:
    _, samples = read(shards_pack.root)
    records = shards_pack.index.listing.astype(np.int64)
    addresses, lengths = shards_pack.locate(records)
    assert (addresses.dtype, lengths.dtype) == (np.uint64, np.uint32)
    assert len(shards_pack.manifest.shards) > 2
    for place, (path, label, image, data) in enumerate(samples):
        record = int(records[place])
        assert bytes(shards_pack.payload(record)) == data
        assert ctypes.string_at(int(addresses[place]), int(lengths[place])) == data
        assert shards_pack.index.path(record) == path
        assert shards_pack.index.label[record] == label
        size = (shards_pack.index.width[record], shards_pack.index.height[record])
        assert size == image.size


def test_shards_are_mapped_when_asked_for(shards_pack: Pack) -> None:
    pack = open_pack(shards_pack.root)

    def mapped() -> list[str]:
        lines = Path("/proc/self/maps").read_text().splitlines()
        own = [line for line in lines if str(pack.root / "shards") in line]
        return sorted({line.rsplit("/", 1)[1] for line in own})

    others = mapped()
    last = len(pack) - 1
    pack.payload(last)
    name = pack.manifest.shards[-1].name
    assert name in mapped()
    assert len(mapped()) <= len(others) + 1


def test_a_mapping_lasts_as_long_as_its_views(shards_pack: Pack) -> None:
    pack = open_pack(shards_pack.root)
    wanted = bytes(pack.payload(0))
    view = pack.payload(0)
    name = str(pack.shard_file(0))
    before = Path("/proc/self/maps").read_text().count(name)
    del pack
    gc.collect()
    assert bytes(view) == wanted
    del view
    gc.collect()
    assert Path("/proc/self/maps").read_text().count(name) < before


MANY_SHARDS = """
import resource, sys
from fastload.store import open_pack
pack = open_pack(sys.argv[1])
open_files = len(__import__("os").listdir("/proc/self/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (open_files + 3, open_files + 3))
print(len(pack.manifest.shards), sum(len(pack.payload(record)) for record in range(len(pack))))
"""


def test_mapped_shards_are_not_open_files(label_folder: Path, tmp_path: Path) -> None:
    """Else a pack of a thousand shards would meet the usual limit on open files."""
    report = fastload.pack(label_folder, tmp_path / "many.pack", shard_size=2048)
    command = [sys.executable, "-c", MANY_SHARDS, report.path]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    shards, stored = map(int, done.stdout.split())
    assert (shards, stored) == (22, int(open_pack(report.path).index.length.sum()))


def test_columns_are_views_that_cannot_be_changed(shards_pack: Pack) -> None:
    for name in ("offset", "label", "listing", "codec"):
        column = getattr(shards_pack.index, name)
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1
    with pytest.raises(TypeError):
        shards_pack.payload(0)[0] = 1


@pytest.mark.parametrize("record", [-1, 22, 2**40])
def test_no_such_record(shards_pack: Pack, record: int) -> None:
    for ask in (shards_pack.payload, shards_pack.index.path):
        with pytest.raises(IndexError):
            ask(record)
    with pytest.raises(IndexError):
        shards_pack.locate(np.array([0, record]))


def test_no_records_asked_for(shards_pack: Pack) -> None:
    addresses, lengths = shards_pack.locate(np.empty(0, np.int64))
    assert len(addresses) == len(lengths) == 0


def test_describe(shards_pack: Pack) -> None:
    words = shards_pack.describe(21)
    shard = shards_pack.manifest.shards[-1].name
    assert words.startswith(f"record 21 ({shards_pack.index.path(21)}, shards/{shard} at byte ")


def test_pickled_and_opened_again(shards_pack: Pack) -> None:
    data = pickle.dumps(shards_pack)
    assert len(data) < 1000
    again = pickle.loads(data)
    assert bytes(again.payload(3)) == bytes(shards_pack.payload(3))


def test_relative_roots_survive_pickling(
    shards_pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shards_pack.root.parent)
    data = pickle.dumps(open_pack(shards_pack.root.name))
    monkeypatch.chdir(tmp_path)
    assert len(pickle.loads(data)) == 22


def _payload_lengths(pack: Pack) -> list[int]:
    return [len(pack.payload(record)) for record in range(len(pack))]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_read_it(shards_pack: Pack, method: str) -> None:
    pack = open_pack(shards_pack.root)
    pack.payload(0)
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(_payload_lengths, (pack,)) == pack.index.length.tolist()


def test_threads_may_map_at_once(shards_pack: Pack) -> None:
    for _ in range(20):
        pack = open_pack(shards_pack.root)
        found: list[np.ndarray] = []
        start = threading.Barrier(4)

        def look(pack: Pack = pack, found: list = found, start: threading.Barrier = start) -> None:
            start.wait()
            found.append(pack.locate(np.arange(len(pack)))[0])

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        lengths = pack.index.length
        for addresses in found:
            for address, length, record in zip(addresses, lengths, range(22), strict=True):
                assert ctypes.string_at(int(address), int(length)) == pack.payload(record)


def test_display_names() -> None:
    assert display_name("e\u0301") == "é"
    assert display_name("caf\udce9") == "caf\ufffd"


def anonymous_memory() -> int:
    """Bytes of this process that are no mapped file."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("RssAnon")]
    return int(line.split()[1]) * 1024


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest and index of a pack of a million records; its shard need not be there."""
    root, count, classes = tmp_path_factory.mktemp("million"), 10**6, 1000
    rng = np.random.default_rng(0)
    source = rng.permutation(count)
    labels = (source // (count // classes)).astype(np.uint32)
    columns = {
        "offset": 512 + np.arange(count, dtype=np.uint64) * 2048,
        "label": labels,
        "listing": np.argsort(source).astype(np.uint64),
        "path": [
            f"{label:04d}/{place:08d}.jpg" for label, place in zip(labels, source, strict=True)
        ],
    }
    for name in ("shard", "codec"):
        columns[name] = np.zeros(count, np.uint8)
    schema = index_schema(binary_paths=False)
    ones = np.ones(count, np.uint8)
    arrays = [pa.array(columns.get(field.name, ones)).cast(field.type) for field in schema]
    with pa.ipc.new_file(root / "index.arrow", schema) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    manifest = Manifest(
        classes=tuple(ClassEntry(f"{label:04d}", count // classes) for label in range(classes)),
        shards=(ShardEntry("00000.tar", 2048 * count + 1024, DIGEST, count),),
        index=IndexEntry((root / "index.arrow").stat().st_size, DIGEST),
        source=Source(count, count, 0, DIGEST),
        options={"cls": True},
    )
    (root / "pack.json").write_bytes(manifest.to_json())
    return root


def test_opening_a_million_records_takes_no_time_and_no_memory(million: Path) -> None:
    open_pack(million)
    times, packs = [], []
    before = anonymous_memory()
    for _ in range(10):
        start = time.perf_counter()
        packs.append(open_pack(million))
        times.append(time.perf_counter() - start)
    grown = anonymous_memory() - before
    assert len(packs[0]) == 10**6
    assert sorted(times)[5] < 0.05
    # Ten packs of a million records: a byte a record would be ten million.
    assert grown < 8 << 20


def test_checking_a_million_labels_and_places_is_quick(million: Path) -> None:
    pack = open_pack(million)
    start = time.perf_counter()
    labels, listing = pack.index.label, pack.index.listing
    seconds = time.perf_counter() - start
    assert (labels[listing[:3].astype(int)] == 0).all()
    assert seconds < 0.5
    assert pack.index.path(int(listing[-1])) == "0999/00999999.jpg"


def test_manifests_round_trip(small_pack: Path) -> None:
    data = (small_pack / "pack.json").read_bytes()
    manifest = Manifest.from_json(data)
    assert manifest.to_json() == data
    assert os.fsencode(json.loads(data)["format"]) == b"fastload-pack"
