"""pyarrow, pandas and DuckDB open the index of a pack as it is, and answer questions of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute
import pyarrow.dataset
import pytest

import fastload
from fastload.store import open_pack
from tests.interoperability.conftest import records


def index_file(pack: Path) -> Path:
    """As pack.json names it: after an append it has another name."""
    return pack / json.loads((pack / "pack.json").read_text("utf-8"))["index"]["name"]


def paths_in_order(pack: Path) -> list[str]:
    return [str(Path(path).relative_to(pack)) for path, _ in fastload.ImageFolder(pack).samples]


def test_pyarrow_maps_it(jpeg_pack: Path) -> None:
    with pa.memory_map(str(index_file(jpeg_pack))) as mapped:
        before = pa.total_allocated_bytes()
        table = pa.ipc.open_file(mapped).read_all()
        assert pa.total_allocated_bytes() - before < table.nbytes / 2
        table.validate(full=True)
        assert table["path"].take(table["listing"]).to_pylist() == paths_in_order(jpeg_pack)
        for row, (payload, _, _) in zip(table.to_pylist(), records(jpeg_pack), strict=True):
            with (jpeg_pack / "shards" / f"{row['shard']:05d}.tar").open("rb") as file:
                file.seek(row["offset"])
                assert file.read(row["length"]) == payload


def test_pyarrow_filters_it(jpeg_pack: Path) -> None:
    index = pa.dataset.dataset(index_file(jpeg_pack), format="ipc")
    wide = index.to_table(filter=pa.compute.field("width") > 80)
    opened = open_pack(jpeg_pack)
    assert wide.num_rows == (opened.index.width > 80).sum() > 0


def test_pandas_reads_it(jpeg_pack: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_feather(index_file(jpeg_pack))
    assert frame.path[frame.listing].tolist() == paths_in_order(jpeg_pack)
    counts = frame.groupby("label").size()
    assert counts.tolist() == list(fastload.ImageFolder(jpeg_pack).class_counts)
    heights = [pixels.shape[0] for _, pixels, _ in records(jpeg_pack)]
    assert frame.height.tolist() == heights


def test_duckdb_queries_it(jpeg_pack: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    index = pa.dataset.dataset(index_file(jpeg_pack), format="ipc")
    assert index.count_rows() == len(open_pack(jpeg_pack))
    counted = duckdb.sql("select label, count(*) from index group by label order by label")
    labels = Counter(label for _, _, label in records(jpeg_pack))
    assert counted.fetchall() == sorted(labels.items())
    largest = duckdb.sql("select path from index order by width * height desc, path limit 1")
    opened = open_pack(jpeg_pack)
    areas = opened.index.width * opened.index.height
    wanted = min(
        path
        for path, area in zip(opened.index.paths(range(len(opened))), areas, strict=True)
        if area == areas.max()
    )
    assert largest.fetchall() == [(wanted,)]
