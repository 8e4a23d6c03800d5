"""README.md and docs/ tell the truth: their commands and programs run, their links lead on."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Of other programs that pages show, not every machine has all: their blocks are left out there.
OPTIONAL = ("datasets", "duckdb", "ffcv", "nvidia.dali", "pandas", "webdataset")
# What the engines need that pages ask for by name.
NEEDS = {'engine="dali"': "nvidia.dali", 'engine="ffcv"': "ffcv"}
# Pages train and tune as one does in earnest; here, their folders hold eight images.
SMALL_RUN = ["--model", "tiny", "--epochs", "1", "--batch-size", "4"]
SMALL_TUNING = ["--batch-size", "4", "--seconds", "0.02", "--target", "1"]
LINK = re.compile(r"\]\(([^)#:]+)(#[^)]*)?\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the line of the page it begins in."""

    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 2)
        for found in BLOCK.finditer(text)
    ]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the pages' data/train, data/val and data/more, and data/test.

    Besides, data/sample_submission.csv has a row for each image of data/test.
    """
    draw = np.random.default_rng(0)
    for part in ("train/cat", "train/dog", "val/cat", "val/dog", "more/dog", "test"):
        folder = tmp_path / "data" / part
        folder.mkdir(parents=True)
        for number in range(4):
            size = tuple(draw.integers(40, 80, size=2))
            pixels = draw.integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.jpg")
    rows = "".join(f"{number},cat\n" for number in range(4))
    (tmp_path / "data" / "sample_submission.csv").write_text("id,label\n" + rows)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def run(command: list[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    return result.stdout


def run_commands(block: Block) -> None:
    """Run the lines that call fastload or Python; the others install things or take long.

    What setup.py is told to do takes long, too: it only has to know the command and its options.
    """
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        if words[:1] == ["fastload"]:
            small = SMALL_TUNING if words[1] == "tune" else []
            run([sys.executable, "-m", "fastload.cli", *words[1:], *small])
        elif words[:2] == ["python", "setup.py"]:
            known = run([sys.executable, str(ROOT / "setup.py"), words[2], "--help"])
            options = [word.partition("=")[0] for word in words[3:]]
            assert [option for option in options if option not in known] == [], line
        elif words[:3] == ["python", "-m", "train_ref"]:
            run([sys.executable, *words[1:], *(SMALL_RUN if words[3] == "fit" else [])])
        elif words[:1] == ["python"]:
            run([sys.executable, str(ROOT / words[1]), *words[2:]])


def installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def missing(block: Block) -> list[str]:
    """The optional packages that a block imports, or its engine, and that are not installed."""
    imported = [package for words, package in NEEDS.items() if words in block.text]
    for statement in ast.walk(ast.parse(block.text)):
        if isinstance(statement, ast.Import):
            imported += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            imported.append(statement.module or "")
    wanted = [name for name in OPTIONAL if any(f"{at}.".startswith(f"{name}.") for at in imported)]
    return [name for name in wanted if not installed(name)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run_in_order(
    page: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    namespace: dict[str, object] = {"__name__": "page"}
    for block in blocks(page):
        if block.language == "sh":
            run_commands(block)
        elif block.language == "python" and not missing(block):
            # Blank lines in front let a traceback give the page's own line numbers.
            text = "\n" * (block.line - 1) + block.text
            exec(compile(text, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    targets = [found[1] for found in LINK.finditer(page.read_text())]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_readme_shows_how_to_start_and_what_to_change() -> None:
    shell, install, pack, before, after, *_ = blocks(ROOT / "README.md")
    assert [line.split()[:2] for line in shell.text.splitlines()] == [
        ["make", "quickstart"],
        ["make", "test"],
    ]
    assert "pip install" in install.text
    assert pack.text.startswith("fastload pack ")
    kept = set(before.text.splitlines()) & set(after.text.splitlines())
    assert len(before.text.splitlines()) <= 10
    assert len(set(after.text.splitlines()) - kept) == 2, "one import and the name of the pack"
