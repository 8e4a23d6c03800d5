"""Running commands, and a pack to damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fastload.cli import main


def run(*arguments: object) -> Result:
    """Run ``fastload`` with these arguments."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def copy(small_pack: Path, tmp_path: Path) -> Path:
    """The pack of 22 images, to be changed at will."""
    shutil.copytree(small_pack, tmp_path / "copy.pack")
    return tmp_path / "copy.pack"
