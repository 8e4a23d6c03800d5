"""``fastload tune`` as a user types it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import fastload
from fastload.presets import preset
from fastload.tune.budget import Budget
from fastload.tuned import find_tuned, home
from tests.cli.conftest import run

QUICK = ("--seconds", "0.02", "--batch-size", "4")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Choices are kept in a folder of the test; the budget is small, so that few are tried."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(
        "fastload.tune.course.read_budget", lambda ranks: Budget(1, 10**10, 10**10, ranks)
    )
    monkeypatch.setattr("fastload.tuned.usable_cpus", lambda: 1)


def test_a_pack_is_tuned_and_its_loader_finds_the_choice(small_pack: Path, tmp_path: Path) -> None:
    curve, page = tmp_path / "curve.json", tmp_path / "curve.html"
    result = run("tune", small_pack, *QUICK, "--json", curve, "--page", page)
    assert result.exit_code == 0, result.output
    found = json.loads(curve.read_text())
    given = found["choice"]["arguments"]
    assert found["is_pack"] and found["batch_size"] == 4
    assert result.stdout.rstrip().endswith(found["code"])
    assert "1 CPU, 10.0 GB of memory" in result.stdout
    assert "<svg" in page.read_text()
    saved = find_tuned(fastload.ImageFolder(small_pack, preset("train")))
    assert saved is not None
    assert saved.num_workers == given["num_workers"]
    assert saved.cache == given.get("cache", "auto")
    assert find_tuned(fastload.ImageFolder(small_pack, preset("eval"))) is None


def test_a_label_folder_is_tuned(label_folder: Path) -> None:
    result = run("tune", label_folder, *QUICK, "--transform", "eval", "--target", "1")
    assert result.exit_code == 0, result.output
    assert "from torch.utils.data import DataLoader" in result.stdout
    assert "fastload pack" in result.stdout
    assert sorted(file.suffix for file in home().iterdir()) == [".html", ".json"]


def test_a_step_and_a_transform_of_the_users(small_pack: Path, tmp_path: Path) -> None:
    program = tmp_path / "slow_train.py"
    program.write_text(
        "import time\n"
        "from torchvision.transforms import v2\n"
        "transform = v2.Compose([v2.Resize((8, 8)), v2.PILToTensor()])\n"
        "def step(batch):\n"
        "    images, labels = batch\n"
        "    assert images.shape[1:] == (3, 8, 8)\n"
        "    time.sleep(0.1)\n"
        "steps = 3\n"
    )
    names = ("--transform", f"{program}:transform", "--train-step", f"{program}:step")
    result = run("tune", small_pack, *QUICK, *names)
    assert result.exit_code == 0, result.output
    assert re.search(r"Headroom: the step alone takes (39|40) images/s\.", result.stdout)
    assert "images/s from memory and" in result.stdout
    refused = run("tune", small_pack, *QUICK, "--train-step", f"{program}:steps")
    assert refused.exit_code == 1 and "is no function" in refused.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--engines", "steam"), "There is no engine 'steam'"),
        (("--decode", "exact,blurred"), "There is no decode='blurred'"),
        (("--seconds", "0"), "seconds is 0.0, it takes more than 0."),
        (("--target", "-1"), "target is -1.0, it takes more than 0."),
        (("--transform", "none"), "none: neither a preset"),
        (("--page", "nowhere/page.html"), "there is no folder nowhere"),
    ],
)
def test_refusals_say_what_is_wrong(small_pack: Path, words: tuple[str, ...], message: str) -> None:
    result = run("tune", small_pack, *QUICK, *words)
    assert result.exit_code in (1, 2)
    assert message in result.output


def test_what_is_there_for_packs_alone(label_folder: Path, tmp_path: Path) -> None:
    result = run("tune", label_folder, *QUICK, "--decode", "fast")
    assert result.exit_code == 2 and "are for packs" in result.output
    result = run("tune", tmp_path / "nothing", *QUICK)
    assert result.exit_code == 1 and "nothing" in result.output


def test_a_step_that_fails_says_where(small_pack: Path, tmp_path: Path) -> None:
    program = tmp_path / "broken_train.py"
    program.write_text("def step(batch):\n    raise ValueError('boom')\n")
    result = run("tune", small_pack, *QUICK, "--train-step", f"{program}:step")
    assert result.exit_code == 1
    assert f"{program}:step failed on a batch: ValueError: boom" in result.output
    assert "line 2, in step" in result.output
    assert "in told" not in result.output


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    result = run("tune", tmp_path / "nowhere")
    assert result.exit_code == 1
    assert result.output == f"Error: {tmp_path / 'nowhere'}: there is no such folder.\n"
