"""Other loaders on a folder of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import own_data
from fastload.bench.own_data import Plan
from tests.bench.documents import document, result


def test_peers_are_chosen_by_name() -> None:
    everyone = own_data.chosen("all")
    assert {"dali", "ffcv"} <= set(everyone)
    assert not {"fastload", "fastload_dct", "imagefolder", "replay", "pillow"} & set(everyone)
    assert own_data.chosen("ffcv, dali") == ["ffcv", "dali"]
    with pytest.raises(ValueError, match="there is no nobody: choose of"):
        own_data.chosen("dali,nobody")


def test_peers_take_turns_with_fastload_and_imagefolder(
    label_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTLOAD_BENCH_CACHE", str(tmp_path / "no environments"))
    before = document([result("imagefolder", threads=1)])
    after = own_data.beside_peers(
        before,
        label_folder,
        tmp_path,
        Plan(minutes=0.001, batch=4, rounds=1),
        peers=["dali"],
        preset="train",
        tell=lambda _: None,
    )
    added = after.suites[own_data.SUITE]
    assert {one.peer for one in added} == {"fastload", "fastload_cached", "imagefolder"}
    assert {one.photos for one in added} == {"jpeg"}
    assert [one.threads for one in added if one.peer == "imagefolder"] == [1]
    assert all(one.rate > 0 and one.batch == 4 for one in added)
    assert after.results[0] == before.results[0]
    assert {one.peer for one in after.failed} == {"dali"}
    assert "not installed" in after.failed[0].error
