"""`import fastload` is quick and brings in nothing that was not asked for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.packaging.conftest import ROOT

LIMIT_S = 0.3
ATTEMPTS = 3

TIMED = """
import json, sys, time
import torch
before = set(sys.modules)
start = time.perf_counter()
{statement}
seconds = time.perf_counter() - start
print(json.dumps([seconds, sorted({{name.split(".")[0] for name in set(sys.modules) - before}})]))
"""


def timed(statement: str) -> tuple[float, set[str]]:
    command = [sys.executable, "-c", TIMED.format(statement=statement)]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    seconds, modules = json.loads(output)
    return seconds, set(modules)


def test_import_takes_little_beyond_torch() -> None:
    assert min(timed("import fastload")[0] for _ in range(ATTEMPTS)) < LIMIT_S


def test_public_names_take_little_beyond_torch_and_torchvision() -> None:
    statement = "fastload.DataLoader, fastload.ImageFolder, fastload.pack"
    program = f"import torchvision; start = time.perf_counter(); import fastload; {statement}"
    assert min(timed(program)[0] for _ in range(ATTEMPTS)) < LIMIT_S


@pytest.mark.parametrize("absent", ["click", "ffcv", "nvidia.dali", "rich", "sklearn"])
def test_loading_side_leaves_optional_packages_alone(absent: str) -> None:
    program = (
        "import sys, fastload; fastload.DataLoader; fastload.ImageFolder; "
        f"assert {absent!r} not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_command_line_starts_without_torch() -> None:
    program = (
        "import sys, fastload.cli; fastload.cli.main(['--help'], standalone_mode=False); "
        "assert 'torch' not in sys.modules"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for command in ("pack", "info", "verify", "split", "export", "unpack"):
        assert f"\n  {command} " in result.stdout
