"""The GPU's benchmark runs through on the CPU, all its rows."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.gpu import command
from benchmarks.gpu.entrant import Entrant
from benchmarks.gpu.measuring import Row
from benchmarks.gpu.report import as_json, as_markdown
from tests.conftest import picture


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six JPEG files in two classes."""
    rng = np.random.default_rng(3)
    for number in range(6):
        folder = tmp_path / "photos" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(rng, 60, 70)).save(folder / f"{number}.jpg")
    return tmp_path / "photos"


def test_a_dry_run_fills_every_row(
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    assert command.main([str(photos), "--dry"]) == 0
    assert not (tmp_path / "results").exists()
    first, _, *lines = capsys.readouterr().out.splitlines()
    assert first == "18 images are the same on cpu and on the CPU"
    wanted = command.entrants([1])
    assert len(lines) == 2 * len(wanted)
    dali = find_spec("nvidia") is not None and find_spec("nvidia.dali") is not None
    for entrant in wanted:
        runs = dali or entrant.needs == "torch"
        outcome = "ran" if runs else "nvidia.dali is not installed"
        assert any(line.startswith(f"{outcome}: {entrant.name}, 1 threads") for line in lines)


def test_the_sweep_turns_one_setting_at_a_time() -> None:
    dali = [one for one in command.entrants([2, 8]) if one.name.startswith("DALI's file reader, w")]
    turned = {(one.threads, one.hw_decoder_load) for one in dali}
    assert turned == {(2, 0.65), (8, 0.65), (8, 0.0), (8, 0.35), (8, 0.9)}


def test_a_peer_that_is_not_installed_is_named() -> None:
    entrant = Entrant("no such", 1, lambda _: pytest.fail("opened"), "no_such.module")
    assert entrant.missing() == "no_such.module is not installed"


def test_the_report_has_the_hardware_and_the_reasons() -> None:
    rows = [
        Row("one", 2, 0.65, True, 1234.5, 0.017),
        Row("other", 2, None, False, reason="x is not installed"),
    ]
    text = as_markdown({"GPU": "a GPU"}, rows)
    assert text.startswith("- GPU: a GPU\n")
    assert "| one | 2 | 0.65 | ResNet-18 | 1234 | 1.7% |\n" in text
    assert "| other | 2 |  |  | x is not installed |  |\n" in text
    assert json.loads(as_json({"GPU": "a GPU"}, rows))["rows"][0]["idle"] == 0.017


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(photos)]) == 2
    assert "no CUDA GPU" in capsys.readouterr().err
