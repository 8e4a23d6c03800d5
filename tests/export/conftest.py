"""A pack to change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def copy(small_pack: Path, tmp_path: Path) -> Path:
    """The pack of 22 images, to be changed at will."""
    shutil.copytree(small_pack, tmp_path / "copy.pack")
    return tmp_path / "copy.pack"
