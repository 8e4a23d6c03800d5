"""The JSON that a run writes, read as one who knows the contract alone would read it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import document
from benchmarks.photos import Photos
from tests.benchmarks.measurements import measurement

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = {"name": str, "images": int, "bytes": int, "mean_width": float, "mean_height": float}
TEXTS = (
    *("suite", "label", "peer", "title", "task", "recipe", "photos", "form"),
    *("cache_state", "x_name", "version"),
)
NUMBERS = ("threads", "batch", "peak_pss_bytes", "peak_anonymous_bytes", "bytes_on_disk")
BY_ROUND = ("images", "seconds", "images_per_second", "cpu_seconds")


def check_entrant(info: dict[str, Any]) -> None:
    assert all(isinstance(info[name], str) for name in TEXTS)
    assert all(isinstance(info[name], int) for name in NUMBERS)
    rounds = len(info["images"])
    assert rounds > 0
    for name in BY_ROUND:
        assert len(info[name]) == rounds
        assert all(figure >= 0 for figure in info[name])
    assert all(isinstance(images, int) for images in info["images"])
    assert info["images_per_second"] == pytest.approx(
        [images / seconds for images, seconds in zip(info["images"], info["seconds"], strict=True)]
    )
    assert info["first_batch_seconds"]
    assert all(isinstance(seconds, float) for seconds in info["first_batch_seconds"])
    assert info["packing_seconds"] is None or info["packing_seconds"] > 0
    assert info["x"] is None or info["x_name"]
    assert info["cache_state"] in ("warm", "cold", "")


def check_run(run: dict[str, Any], entrants: list[dict[str, Any]]) -> None:
    for photos in run["photos"].values():
        assert all(isinstance(photos[name], kind) for name, kind in PHOTOS.items())
        assert isinstance(photos["quality"], str)
    assert run["rounds"] >= 1 and run["cpus"] >= 1 and isinstance(run["smoke"], bool)
    assert all(isinstance(note, str) for note in run["notes"])
    for failed in run["failed"]:
        assert {name: type(text) for name, text in failed.items()} == dict.fromkeys(
            ("suite", "label", "peer", "error"), str
        )
        assert failed["error"]
    for info in entrants:
        if info["cache_state"]:
            assert info["photos"] in run["photos"]


def test_a_measurement_is_an_entrant_of_the_document() -> None:
    one = measurement("fastload", 100.0, 300.0)
    one.images, one.cache_state, one.packing_seconds = [100, 300], "warm", 0.7
    info = json.loads(json.dumps(one.result().extra_info()))
    check_entrant(info)
    assert info["images_per_second"] == [100.0, 300.0]
    assert info["packing_seconds"] == 0.7
    assert info["title"] == "fastload 1.0"


def test_what_could_not_run_is_listed_with_its_error() -> None:
    photos = Photos("cuts", 24, 1000, 468.0, 400.5, "JPEG (quality 90)", Path("photos"))
    measured = [measurement("fastload", 100), measurement("dali", error="not installed")]
    run = document.of_run(measured, {"jpeg": photos}, 3, smoke=False, notes=["a note"])
    check_run(json.loads(json.dumps(run)), [])
    assert run["failed"] == [
        {"suite": "loader", "label": "dali x2", "peer": "dali", "error": "not installed"}
    ]
    assert (run["rounds"], run["smoke"], run["notes"]) == (3, False, ["a note"])


def test_packing_takes_what_was_measured_of_it() -> None:
    loading, packing = measurement("fastload", 100), measurement("fastload", 100, 200)
    packing.job = loading.job.__class__("fastload", "pack")
    packing.seconds = [2.0, 4.0]
    for one in (loading, packing):
        one.pack_in(0.5)
    assert (loading.packing_seconds, packing.packing_seconds) == (0.5, 3.0)


@pytest.mark.slow
def test_a_run_writes_the_document(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    words = ["-m", "pytest", "benchmarks", "--smoke", "-q", "-p", "no:cacheprovider"]
    places = ["--benchmark-json", str(target), "--basetemp", str(tmp_path / "scratch")]
    chosen = ["-k", "threads"]
    done = subprocess.run(
        [sys.executable, *words, *places, *chosen],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(target.read_text())
    entrants = [one["extra_info"] for one in found["benchmarks"]]
    for info in entrants:
        check_entrant(info)
    check_run(found["fastload"], entrants)
    assert found["fastload"]["smoke"] is True
    assert found["machine_info"]["fastload"]["cpus"] >= 1
    assert not {"node", "release"} & set(found["machine_info"])
    assert [(one["x"], one["x_name"]) for one in entrants if one["suite"] == "threads"] == [
        (1, "threads")
    ], "a smoke run tries an axis at its first value"
    jpeg = found["fastload"]["photos"]["jpeg"]
    assert (jpeg["images"], jpeg["quality"]) == (24, "JPEG (quality 90)")
