"""Files of prompts: sentences for one class, templates for the others."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from train_ref.errors import TrainError
from train_ref.models.prompts import class_sentences, read_prompts

CLASSES = ("피스", "창틀,문틀수정", "wall", "wall: wet", "{}")


def test_without_a_file_each_class_is_a_photo(tmp_path: Path) -> None:
    assert read_prompts(None, ("cat", "피스")) == [["a photo of a cat."], ["a photo of a 피스."]]


def test_lines_are_for_a_class_or_for_all_that_have_none() -> None:
    text = """
    # what is meant
    피스: a screw head shows through the wallpaper.
    피스: a screw in a wall.
    wall: wet: a wet wall.
    wall: a wall.
    {}: a curly pair.
    a photo of {}.
    a close-up of {} at home.
    """
    assert class_sentences(text, CLASSES) == [
        ["a screw head shows through the wallpaper.", "a screw in a wall."],
        ["a photo of 창틀,문틀수정.", "a close-up of 창틀,문틀수정 at home."],
        ["a wall."],
        ["a wet wall."],
        ["a curly pair."],
    ]


def test_hangul_is_the_same_composed_or_not() -> None:
    apart = unicodedata.normalize("NFD", "피스: a screw.")
    assert class_sentences(apart, ("피스",)) == [["a screw."]]
    assert class_sentences("피스: a screw.", (unicodedata.normalize("NFD", "피스"),)) == [
        ["a screw."]
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cat: a cat.\n\nmouse: a mouse.", "line 3, 'mouse: a mouse.'"),
        ("cat:", "line 1, 'cat:'"),
        ("cat: a cat.", "no sentence for dog, 피스"),
        ("", "no sentence for cat, dog, 피스"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrainError, match=message) as caught:
        read_prompts(path, ("cat", "dog", "피스"))
    assert str(path) in str(caught.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(TrainError, match=r"p\.txt cannot be read"):
        read_prompts(tmp_path / "p.txt", ("cat",))
    with pytest.raises(TrainError, match=r"q\.txt cannot be read"):
        read_prompts(tmp_path / "q.txt", ("cat",))


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("cat: a cat.", encoding="utf-8-sig")
    assert read_prompts(tmp_path / "p.txt", ("cat",)) == [["a cat."]]
