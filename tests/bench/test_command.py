"""``fastload bench`` as a user types it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fastload.bench.results import read_document, write_document
from tests.bench.documents import at_rate, document
from tests.cli.conftest import run

PROGRAM = """
from torchvision import transforms as T
transform = T.Compose([T.RandomResizedCrop(32), T.Lambda(lambda image: image), T.PILToTensor()])
"""


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Two results: fastload is slower in the second."""
    files = tmp_path / "a.json", tmp_path / "b.json"
    for file, rate in zip(files, (3000, 2000), strict=True):
        ours, other = at_rate("fastload x2", rate), at_rate("imagefolder x2", 500, seed=1)
        write_document(document([ours, other]), file)
    return files


def test_own_data(label_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PROGRAM)
    result, page = tmp_path / "run.json", tmp_path / "run.html"
    transform = f"{tmp_path / 'train.py'}:transform"
    arguments = ("--minutes", 0.01, "--batch-size", 4, "--rounds", 2, "--transform", transform)
    done = run("bench", label_folder, *arguments, "--json", result, "--page", page)
    assert done.exit_code == 0, done.output
    found = read_document(result)
    assert [one.label for one in found.results] == [
        "imagefolder",
        "fastload",
        "fastload cached",
        "replay",
    ]
    assert not found.failed and found.rounds == 2
    assert found.photos[found.results[0].photos].images == 22
    for one in found.results:
        assert len(one.rates) == 2 and one.recipe == transform and one.cache_state == "warm"
        assert one.ceiling or (one.first_batch_seconds[0] > 0 and one.peak_pss_bytes > 0)
        assert (one.packing_seconds is not None) == one.ours
    assert any(note.startswith("ImageFolder as tuned: num_workers ") for note in found.notes)
    assert "images/s per core" in done.stdout and "<svg" in page.read_text()
    assert not list(label_folder.glob("*.pack"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "no such folder"),
        (("--pack", "a.pack", "--images", "5"), "takes no --images"),
        (("--transform", "unknown"), "neither a preset"),
        (("--json", "no/such/folder.json"), "there is no folder"),
        (("--peers", "all", "--transform", "train.py:transform"), "cannot run train.py:transform"),
    ],
)
def test_refusals(
    arguments: tuple[str, ...], words: str, label_folder: Path, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(PROGRAM)
    folder = () if arguments == ("nowhere",) else (str(label_folder),)
    done = run("bench", *folder, *arguments)
    assert done.exit_code != 0 and words in done.output


def test_peers_need_a_checkout(label_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "benchmarks.own_data", None)
    done = run("bench", label_folder, "--peers", "all")
    assert done.exit_code == 2 and "measured from a checkout" in done.output


def test_report(runs: tuple[Path, Path], tmp_path: Path) -> None:
    done = run("bench", "report", *runs)
    assert done.exit_code == 0 and done.stdout.count("## loader") == 2
    written = tmp_path / "report.md", tmp_path / "report.html"
    done = run("bench", "report", *runs, "--markdown", written[0], "--page", written[1])
    assert done.exit_code == 0 and done.stdout == ""
    assert written[0].read_text().count("## loader") == 2
    assert written[1].read_text().count("<table") == 2


def test_compare(runs: tuple[Path, Path]) -> None:
    before, after = runs
    done = run("bench", "compare", before, after)
    assert done.exit_code == 0 and done.stdout.count("**slower**") == 1
    done = run("bench", "compare", before, after, "--relative-to", "imagefolder", "--fail")
    assert done.exit_code == 1 and "loader: fastload x2" in done.stderr
    assert run("bench", "compare", after, before, before, "--fail").exit_code == 0


def test_what_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    done = run("bench", "report", tmp_path / "a.json")
    assert done.exit_code == 1 and "a.json: commit_info is null, not an object" in done.output
    done = run("bench", "report", tmp_path / "b.json")
    assert done.exit_code == 1 and "b.json: No such file or directory." in done.output


@pytest.mark.parametrize("command", [(), ("--help",), ("run", "-h"), ("compare", "-h")])
def test_help(command: tuple[str, ...]) -> None:
    assert "Usage: " in run("bench", *command).output
