"""Two ranks of a distributed training share each epoch: no image twice, none left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.callers import ranks
from tests.callers.conftest import COUNTS, Library

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("framework", ["accelerate", "lightning", "undivided"])
def test_ranks_share_the_epochs(ours: Library, tmp_path: Path, framework: str) -> None:
    needed = "accelerate" if framework == "accelerate" else "lightning"
    pytest.importorskip(needed, reason=f"{needed} is not installed (extra: train)")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    result = subprocess.run(
        [*launcher, ranks.__file__, framework, str(ours.root), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    served = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    orders = []
    for epoch in range(ranks.EPOCHS):
        shares = [[tuple(sample) for sample in rank[epoch]] for rank in served]
        assert [len(share) for share in shares] == [32, 32]
        labels = [sample[-1] for sample in (*shares[0], *shares[1])]
        assert [labels.count(label) for label in range(3)] == list(COUNTS.values())
        assert len({*shares[0], *shares[1]}) == 64
        orders.append(shares)
    assert orders[0] != orders[1], "every epoch has its own order"
