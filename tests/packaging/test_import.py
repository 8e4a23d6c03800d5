"""`import fastload` is quick and brings in nothing that was not asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.packaging.conftest import ROOT

# Of the CPU: whatever else the machine does is not to count.
LIMIT_S = 0.3
ATTEMPTS = 3

# Where a collection of all that torch has made is due, it is done before the clock runs: whose
# import it would fall into is chance, and it takes longer than ours.
TIMED = """
import gc, json, sys, time
import torch
before = set(sys.modules)
gc.collect()
start = time.process_time()
{statement}
seconds = time.process_time() - start
print(json.dumps([seconds, sorted({{name.split(".")[0] for name in set(sys.modules) - before}})]))
"""


def timed(statement: str) -> tuple[float, set[str]]:
    command = [sys.executable, "-c", TIMED.format(statement=statement)]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    seconds, modules = json.loads(output)
    return seconds, set(modules)


def is_quick(statement: str) -> bool:
    return any(timed(statement)[0] < LIMIT_S for _ in range(ATTEMPTS))


def test_import_takes_little_beyond_torch() -> None:
    assert is_quick("import fastload")


def test_public_names_take_little_beyond_torch_and_torchvision() -> None:
    statement = "fastload.DataLoader, fastload.ImageFolder, fastload.pack"
    clock = "start = time.process_time()"
    program = f"import torchvision; gc.collect(); {clock}; import fastload; {statement}"
    assert is_quick(program)


def test_loading_side_leaves_optional_packages_alone() -> None:
    program = (
        "import sys, fastload; fastload.DataLoader; fastload.ImageFolder; "
        "optional = {'click', 'ffcv', 'nvidia.dali', 'rich', 'sklearn'}; "
        "assert optional.isdisjoint(sys.modules), optional & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_opening_a_pack_takes_neither_torch_nor_pandas(small_pack: Path) -> None:
    program = (
        "import sys; from fastload.store import open_pack; pack = open_pack(sys.argv[1]); "
        "assert len(pack.index.label) == 22; "
        "assert not {'torch', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, small_pack], cwd=ROOT, check=True)


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
