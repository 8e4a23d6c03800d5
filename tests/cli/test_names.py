"""Folders whose names are not UTF-8 are folders as any others."""

from __future__ import annotations

import os
from pathlib import Path

from torchvision.datasets import ImageFolder

import fastload
from tests.cli.conftest import run
from tests.pack.test_pack import small_folder, tree


def test_every_command_takes_a_folder_of_any_name(tmp_path: Path) -> None:
    root = small_folder(tmp_path / os.fsdecode(b"caf\xe9"))
    pack = f"{root}.pack"
    for _ in "again":
        assert run("pack", root).exit_code == 0
    commands = (
        "info",
        "view",
        "verify",
        "duplicates",
        "split --group none",
        "recode --codec dct",
        "export --to webdataset",
        "unpack",
    )
    for command in commands:
        result = run(*command.split(), pack)
        assert result.exit_code == 0, result.output
        assert "caf\ufffd." in result.stdout
    assert tree(Path(f"{pack}.unpacked")).keys() == tree(root).keys()
    assert len(fastload.ImageFolder(pack)) == len(ImageFolder(root))
    for target in ("ffcv", "imagefolder", "parquet", "webdataset"):
        result = run("export", pack, f"{root}.{target}", "--to", target)
        assert result.exit_code == 0, result.output
        assert "caf\ufffd." in result.stdout
        assert Path(f"{root}.{target}").exists()
