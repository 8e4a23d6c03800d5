"""``fastload split`` as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

import fastload
from fastload.cli.telling import tell
from fastload.sample import grouping
from fastload.store import Pack, open_pack
from tests.cli.conftest import run
from tests.pack.image_files import photo, saved

Grouped = Callable[[Callable[[list[str]], list[str]]], None]


@pytest.fixture
def grouped(monkeypatch: pytest.MonkeyPatch) -> Grouped:
    """Lets near-duplicates be those images whose paths are given the same word."""

    def install(words_of: Callable[[list[str]], list[str]]) -> None:
        def near_duplicate_groups(pack: Pack) -> np.ndarray:
            words = words_of(pack.index.paths(range(len(pack))))
            return np.array([words.index(word) for word in words], np.int64)

        monkeypatch.setattr(grouping, "near_duplicate_groups", near_duplicate_groups)

    return install


def table_rows(output: str) -> dict[str, list[str]]:
    """The cells of each row of the table, by its first."""
    rows = [line.split("│") for line in output.splitlines() if line.startswith("│")]
    return {row[1].strip(): [cell.strip() for cell in row[2:-1]] for row in rows}


def test_near_duplicates_are_the_default(copy: Path, grouped: Grouped) -> None:
    # ant/000 to ant/002 are copies of one another, cat/000 and cat/001 too.
    grouped(
        lambda paths: [path[:3] if path < "ant/003" or "cat" in path else path for path in paths]
    )
    result = run("split", copy, "--folds", "3")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{copy}/splits/folds3.arrow: 3 folds, groups near-duplicates")
    rows = table_rows(result.stdout)
    assert rows["ant"] == ["9", "3", "3", "3", "0"]
    assert rows["cat"] == ["2", "0", "0", "0", "2"]
    assert rows["all"][0] == "22" and rows["all"][-1] == "2"
    assert (
        "Groups (near-duplicates): 2 of several images, 5 images in all, each kept together; the "
        "largest has 3 (ant/0"
    ) in result.stdout
    assert "trained and never validated, 1 in all, since" in result.stdout
    assert "without being alike: cat (2 images)." in result.stdout
    assert "In no fold, so that no class is missing in training: 2 images." in result.stdout
    assert "Warning" not in result.stdout
    split = fastload.folds(copy, 3)
    found = fastload.ImageFolder(copy, split="folds3", fold=1, part="val")
    assert len(found) == len(split.part(1, "val"))


def test_rare_classes_are_told_in_words(copy: Path) -> None:
    result = run("split", copy, "--group", "none")
    assert result.exit_code == 0, result.output
    assert "No images were kept together" in result.stdout
    assert (
        "Classes with fewer images or groups than folds, 1 in all: each is in every training "
        "part, and validated in no more folds than it has groups: cat (2 images in 2 groups, "
        "validated in folds "
    ) in result.stdout
    assert sorted(table_rows(result.stdout)["cat"]) == ["0", "0", "0", "1", "1", "2"]
    assert "never validated" not in result.stdout


def test_groups_across_classes_are_warned_of(copy: Path, grouped: Grouped) -> None:
    grouped(lambda paths: ["x" if path[4:7] == "001" else path for path in paths])
    result = run("split", copy, "--folds", "2")
    assert "Warning: 1 group of near-duplicates with images of several classes" in result.stdout
    assert f"`fastload duplicates {copy}` shows them." in result.stdout
    # By a rule of the user's, groups may span classes: a patient has several findings.
    result = run("split", copy, "--folds", "2", "--group", r"path:\d+", "--name", "digits")
    assert result.exit_code == 0 and "Warning" not in result.stdout
    assert "Groups (path:\\d+): 6 of several images, 19 images in all" in result.stdout


def test_a_holdout(copy: Path) -> None:
    result = run("split", copy, "--val", "0.25", "--group", "none", "--seed", "3")
    assert result.stdout.startswith(
        f"{copy}/splits/holdout25.arrow: hold-out of 0.25, groups none, seed 3"
    )
    rows = table_rows(result.stdout)
    assert sum(int(rows[name][1]) for name in ("ant", "bee", "cat", "dog")) == int(rows["all"][1])
    assert rows["cat"] == ["2", "1"]
    assert len(fastload.ImageFolder(copy, split="holdout25", part="val")) == int(rows["all"][1])


def test_a_table_of_the_users(copy: Path, tmp_path: Path) -> None:
    paths = open_pack(copy).index.paths(range(22))
    lines = [f"{path},{place // 3}" for place, path in enumerate(paths)]
    (tmp_path / "scenes.csv").write_text("\n".join(["path,scene", *lines]))
    result = run("split", copy, "--folds", "2", "--group", f"{tmp_path}/scenes.csv:scene")
    assert result.exit_code == 0, result.output
    assert "Groups (scenes.csv:scene): 7 of several images, 21 images in all" in result.stdout
    (tmp_path / "scenes.csv").write_text("\n".join(["path,scene", *lines[1:]]))
    result = run("split", copy, "--folds", "2", "--group", f"{tmp_path}/scenes.csv:scene")
    assert result.exit_code == 1 and paths[0] in result.stderr
    assert "Traceback" not in result.output


def test_another_split_wants_force(copy: Path) -> None:
    assert run("split", copy, "--group", "none").exit_code == 0
    assert run("split", copy, "--group", "none").exit_code == 0
    other = ("split", copy, "--group", "none", "--seed", "1")
    result = run(*other)
    assert result.exit_code == 1 and "--force" in result.stderr
    assert run(*other, "--name", "second").exit_code == 0
    assert run(*other, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--folds", "3", "--val", "0.2"], "not both"),
        (["--folds", "1"], "2 to 1000"),
        (["--folds", "0"], "2 to 1000"),
        (["--val", "1.5"], "a share above 0"),
        (["--seed", "-1"], "seed is -1"),
        (["--name", "a/b"], "take letters, digits"),
        (["--group", "path:("], "not a regular expression"),
        (["--group", "patient"], "choose near-duplicates, none"),
    ],
)
def test_usage_errors(copy: Path, arguments: list[str], words: str) -> None:
    result = run("split", copy, "--group", "none", *arguments)
    assert result.exit_code == 2 and words in result.stderr
    assert not (copy / "splits").exists()


def test_missing_tables_and_too_many_folds(copy: Path) -> None:
    result = run("split", copy, "--group", "nowhere.csv:scene")
    assert result.exit_code == 1 and "No table at nowhere.csv: there is no such" in result.stderr
    result = run("split", copy, "--group", "none", "--folds", "23")
    assert result.exit_code == 1 and "(22) than there are parts (23)" in result.stderr


def test_many_classes_and_many_folds_fit_a_terminal(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / "data" / f"{number:02d}").mkdir(parents=True)
        for copy in range(2 + number % 2):
            file = tmp_path / "data" / f"{number:02d}" / f"{copy}.png"
            file.write_bytes(saved(photo(3, 3, 9 * number + copy), "PNG"))
    pack = fastload.pack(tmp_path / "data").path
    result = run("split", pack, "--folds", "12", "--group", "none")
    rows = table_rows(result.stdout)
    assert rows["10 larger (--all-classes)"][0] == "30"
    assert rows["28"] == ["2", "0", "1"] and "01" not in rows
    assert rows["all"] == ["75", "6", "7"]
    assert result.stdout.count("validated in folds") == 10 and "; 20 more." in result.stdout
    assert len(table_rows(run("split", pack, "--group", "none", "--all-classes").stdout)) == 31


def test_info_lists_splits(copy: Path) -> None:
    assert "\nsplit " not in run("info", copy).stdout
    assert run("split", copy, "--group", "none").exit_code == 0
    (copy / "splits/broken.arrow").write_bytes(b"")
    result = run("info", copy)
    assert result.exit_code == 0
    assert "split folds5: 5 folds, groups none, seed 0\n" in result.stdout
    assert "split broken: cannot be used: " in result.stdout
    splits = json.loads(run("info", copy, "--json").stdout)["splits"]
    assert list(splits) == ["broken", "folds5"]


def test_sentences_are_broken_between_words_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = f"창틀,문틀수정 {'words ' * 20}[b] {'path/' * 30}"
    tell(sentence)
    assert capsys.readouterr().out == f"{sentence}\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    tell(sentence)
    lines = capsys.readouterr().out.splitlines()
    assert [word for line in lines for word in line.split()] == sentence.split()
    assert len(lines) == 3 and all(cell_len(line) <= 80 for line in lines[:-1])


def test_a_disk_that_cannot_be_written(copy: Path) -> None:
    # A file where the folder should be: nobody can write below it, root neither.
    (copy / "splits").write_bytes(b"")
    result = run("split", copy, "--group", "none", "--folds", "2")
    assert result.exit_code == 1 and "folds2.arrow cannot be written (" in result.stderr
    assert "do without the file" in result.stderr
