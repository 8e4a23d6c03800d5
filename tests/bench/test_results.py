from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastload.bench.fields import ResultsError
from fastload.bench.results import Document, read_document, write_document
from tests.bench.documents import document, result, wide_document


def written(content: Any, folder: Path) -> Path:
    file = folder / "run.json"
    file.write_text(json.dumps(content))
    return file


def changed(place: str, value: Any) -> dict[str, Any]:
    """A document as JSON with another value at a place, as ``benchmarks.0.extra_info.x``."""
    content = json.loads(json.dumps(document([result()]).as_dict()))
    inner: Any = content
    *path, last = place.split(".")
    for name in path:
        inner = inner[int(name) if isinstance(inner, list) else name]
    inner[last] = value
    return content


def test_what_is_written_is_read(tmp_path: Path) -> None:
    whole = wide_document()
    write_document(whole, tmp_path / "run.json")
    read = read_document(tmp_path / "run.json")
    assert read == Document(
        **{
            **vars(whole),
            "file": str(tmp_path / "run.json"),
            "failed": tuple(whole.failed),
            "notes": tuple(whole.notes),
        }
    )


def test_figures() -> None:
    one = result(images=(100, 300, 200), seconds=(1.0, 2.0, 4.0), cpu_seconds=(2.0, 3.0, 4.0))
    assert one.rates == (100.0, 150.0, 50.0)
    assert (one.rate, one.per_core, one.cpu_percent) == (100.0, 50.0, 150.0)
    assert result(cpu_seconds=()).per_core is None and result(cpu_seconds=()).cpu_percent is None


@pytest.mark.parametrize(
    ("peer", "ours"),
    [("fastload", True), ("fastload_dct", True), ("fastloader", False), ("imagefolder", False)],
)
def test_whose_it_is(peer: str, ours: bool) -> None:
    assert result(peer=peer).ours is ours


def test_unknown_keys_are_ignored(tmp_path: Path) -> None:
    content = changed("benchmarks.0.extra_info.something", {"else": 1})
    content["version"] = "5.1.0"
    content["machine_info"]["node"] = None
    assert read_document(written(content, tmp_path)).results == (result(),)


INFO = "benchmarks.0.extra_info."


@pytest.mark.parametrize(
    ("place", "value", "wanted"),
    [
        ("datetime", 5, "datetime is 5, not a string"),
        ("benchmarks", {}, "benchmarks is {}, not a list"),
        ("fastload.smoke", "no", 'fastload.smoke is "no", not true or false'),
        ("fastload.notes", ["a", 1], "fastload.notes[1] is 1, not a string"),
        ("fastload.failed", [{"suite": "a"}], "fastload.failed[0].label is null"),
        ("fastload.photos.jpeg", 3, "fastload.photos.jpeg is 3, not an object"),
        ("machine_info.fastload", None, "machine_info.fastload is null, not an object"),
        (INFO + "threads", 2.5, "extra_info.threads is 2.5, not a whole number"),
        (INFO + "threads", True, "extra_info.threads is true, not a whole number"),
        (INFO + "seconds", [1, 2, 3, 4, 0], "seconds[4] is 0, not a finite number above 0"),
        (INFO + "seconds", [1, 2, 3, 4, "5"], 'extra_info.seconds[4] is "5"'),
        (INFO + "seconds", [], "extra_info.seconds is []"),
        (INFO + "seconds", [1.0], "extra_info.images is [4000, 4000"),
        (INFO + "cpu_seconds", [1.0], "cpu_seconds is [1.0], not a list of 5 numbers"),
        (INFO + "x", "far", 'extra_info.x is "far", not a finite number'),
        (INFO + "photos", "png", "of photos 'png'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(place: str, value: Any, wanted: str, tmp_path: Path) -> None:
    file = written(changed(place, value), tmp_path)
    with pytest.raises(ResultsError) as caught:
        read_document(file)
    assert wanted in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\xff", '{"datetime": NaN}'])
def test_what_is_no_document_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ResultsError, match=r"run\.json"):
        read_document(tmp_path / "run.json")


def test_an_entrant_is_there_once(tmp_path: Path) -> None:
    write_document(document([result(), result()]), tmp_path / "run.json")
    with pytest.raises(ResultsError, match="twice"):
        read_document(tmp_path / "run.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
PLACES = [
    "machine_info", "commit_info", "datetime", "fastload", "benchmarks", "machine_info.fastload",
    "fastload.photos", "fastload.failed", *(INFO + name for name in vars(result())),
]  # fmt: skip


@settings(deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_nothing_else_than_results_errors(
    tmp_path_factory: pytest.TempPathFactory, place: str, value: Any
) -> None:
    file = written(changed(place, value), tmp_path_factory.mktemp("run"))
    with contextlib.suppress(ResultsError):
        read_document(file)
