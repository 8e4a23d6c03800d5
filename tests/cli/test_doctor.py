from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import fastload.doctor
from fastload.cli.doctor import command
from fastload.doctor import Finding, State

LONG = "a word and " * 20


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    findings = [Finding("one", State.GOOD, "fine")]
    monkeypatch.setattr(fastload.doctor, "AREAS", {"area": lambda: iter(findings)})
    return findings


def test_all_is_well(planted: list[Finding]) -> None:
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 0
    assert "✓ one" in result.output
    assert result.output.endswith("Nothing is lacking.\n")


def test_lacks_and_their_remedies_fit_the_terminal(
    planted: list[Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    planted.append(Finding("two", State.NOTE, LONG, "do [this]"))
    assert CliRunner().invoke(command, []).exit_code == 0, "notes are no lacks"
    planted.append(Finding("three", State.LACK, "broken\x1b[31m", "mend it"))
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 1
    assert max(map(len, result.output.splitlines())) <= 80
    assert "→ do [this]" in result.output
    assert "broken\\x1b[31m" in result.output
    assert "1 to be mended (✗), 1 that could be better (·)." in result.output


def test_json(planted: list[Finding]) -> None:
    planted.append(Finding("two", State.LACK, "broken", "mend it"))
    result = CliRunner().invoke(command, ["--json"])
    assert result.exit_code == 1
    assert json.loads(result.output)["area"][1] == {
        "name": "two",
        "state": "lack",
        "found": "broken",
        "remedy": "mend it",
    }


def test_this_machine_and_a_pack(small_pack: Path) -> None:
    result = CliRunner().invoke(command, [str(small_pack)])
    assert result.exit_code == 0, result.output
    for words in ("libjpeg-turbo", "SIMD", "CPUs", "/dev/shm", "GPU", "FFCV", "22 images"):
        assert words in result.output
