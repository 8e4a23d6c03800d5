"""The table of answers: names, order, and what is refused."""

from __future__ import annotations

import csv
import io
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_ref.errors import TrainError
from train_ref.submission import Rows, rows_of, table, write_table

PATHS = ("a/2.png", "b/1.png", "b/10.jpg")
CLASSES = ("창틀,문틀수정", "훼손", 'a "b"')


def one_hot(*labels: int) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[list(labels)]


def sample(folder: Path, text: str) -> Path:
    path = folder / "sample.csv"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("form", "ids"),
    [
        (None, PATHS),
        ("path", PATHS),
        ("name", ("2.png", "1.png", "10.jpg")),
        ("stem", ("2", "1", "10")),
    ],
)
def test_without_a_sample_rows_are_in_the_order_of_the_images(
    form: str | None, ids: tuple[str, ...]
) -> None:
    rows = rows_of(PATHS, form)
    assert rows.columns == ("id", "label")
    assert rows.ids == ids
    assert rows.images.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "ids",
    [("b/10.jpg", "a/2.png", "b/1.png"), ("10.jpg", "2.png", "1.png"), ("10", "2", "1")],
    ids=["path", "name", "stem"],
)
def test_a_sample_says_order_names_of_columns_and_what_ids_are(
    tmp_path: Path, ids: tuple[str, ...]
) -> None:
    text = "".join(f"{one},x\n" for one in ids)
    rows = rows_of(PATHS, None, sample(tmp_path, "ID,Category\n" + text))
    assert rows.columns == ("ID", "Category")
    assert rows.ids == ids
    assert rows.images.tolist() == [2, 0, 1]


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_are_no_part_of_a_sample(
    tmp_path: Path,
) -> None:
    rows = rows_of(["1.png"], None, sample(tmp_path, "\ufeffid,label\r\n1.png,\r\n\r\n"))
    assert rows.columns == ("id", "label")
    assert rows.ids == ("1.png",)


def test_ids_are_compared_composed_and_written_as_the_sample_has_them(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "훼손.png")
    rows = rows_of([decomposed], None, sample(tmp_path, "id,label\n훼손.png,x\n"))
    assert rows.ids == ("훼손.png",)
    assert decomposed != "훼손.png"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("id\n1\n", "columns id; a submission has two"),
        ("id,a,b\n1,0,1\n", "columns id, a, b; a submission has two"),
        ("id,label\n2,x\n2,y\n", "more than once: '2'"),
        ("id,label\n2,x\n1,x\n10,x\n11,x\n", "wants 1 ids that no image has as its stem: '11'"),
        ("id,label\n2,x\n1,x\n", "lacks 1 of the images: '10'"),
    ],
)
def test_a_sample_of_other_images_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TrainError, match=words):
        rows_of(PATHS, None, sample(tmp_path, text))


def test_a_sample_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="cannot be read as CSV"):
        rows_of(PATHS, None, tmp_path / "none.csv")


def test_two_images_of_one_id_are_refused() -> None:
    assert rows_of(["a/1.png", "b/1.png"]).ids == ("a/1.png", "b/1.png")
    with pytest.raises(TrainError, match=r"the same stem: '1'\. Give --id path"):
        rows_of(["a/1.png", "b/1.png"], "stem")


def test_a_long_list_of_ids_is_cut(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"lacks 9 of the images: '1', '2', '3' and 6 more"):
        rows_of([f"{number}" for number in range(10)], None, sample(tmp_path, "id,label\n0,x\n"))


def test_the_table_has_the_class_of_the_highest_probability() -> None:
    rows = Rows(("id", "label"), ("c", "a", "b"), np.array([2, 0, 1]))
    text = table(rows, CLASSES, one_hot(0, 1, 2))
    assert text == 'id,label\nc,"a ""b"""\na,"창틀,문틀수정"\nb,훼손\n'


def test_classes_are_written_composed() -> None:
    names = [unicodedata.normalize("NFD", name) for name in CLASSES]
    assert table(rows_of(["x"]), names, one_hot(1)) == "id,label\nx,훼손\n"


def test_probabilities_are_columns_by_name() -> None:
    shares = np.array([[0.25, 0.5, 0.25], [1 / 3, 1 / 3, 1 / 3]], np.float32)
    text = table(rows_of(["x", "y"]), CLASSES, shares, with_probabilities=True)
    first, second = csv.DictReader(io.StringIO(text))
    assert list(first) == ["id", "label", *CLASSES]
    assert first["label"] == "훼손" and first["창틀,문틀수정"] == "0.250000"
    assert second["label"] == "창틀,문틀수정" and second["훼손"] == "0.333333"


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(
    lambda name: unicodedata.normalize("NFC", name)
)


@given(st.lists(NAMES, min_size=1, max_size=8, unique=True), NAMES, st.data())
def test_any_names_come_back(ids: list[str], label: str, data: st.DataObject) -> None:
    wanted = data.draw(st.permutations(ids))
    rows = Rows(("id", "label"), tuple(wanted), np.array([ids.index(one) for one in wanted]))
    text = table(rows, [label], np.ones((len(ids), 1), np.float32))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["id", "label"],
        *([one, label] for one in wanted),
    ]


def test_names_that_are_no_utf8_keep_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.csv"
    write_table(path, table(rows_of([os.fsdecode(b"\xff.png")]), ["a"], np.ones((1, 1), "f4")))
    assert path.read_bytes() == b"id,label\n\xff.png,a\n"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainError, match="cannot be written"):
        write_table(tmp_path / "file" / "out.csv", "id,label\n")
