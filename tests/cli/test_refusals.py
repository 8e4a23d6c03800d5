"""What every command that reads a pack refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import run


@pytest.mark.parametrize(
    "command",
    [
        "info",
        "verify",
        "duplicates",
        "split",
        "recode --codec dct",
        "unpack",
        "export --to webdataset",
    ],
)
def test_what_is_no_pack_is_refused(tmp_path: Path, command: str) -> None:
    assert run(*command.split(), tmp_path / "nowhere").exit_code == 1
    (tmp_path / "folder").mkdir()
    result = run(*command.split(), tmp_path / "folder")
    assert result.exit_code == 1
    assert "is not a pack" in result.stderr
    assert "Traceback" not in result.output
