"""Two ranks of a distributed training share each epoch: no image twice, none left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.callers import ranks
from tests.callers.conftest import COUNTS, Library

Sample = tuple[int, ...]
# Samples by rank and epoch.
Epochs = list[list[list[Sample]]]
ROOT = Path(__file__).resolve().parents[2]


FRAMEWORKS = ["accelerate", "lightning", "undivided"]


@pytest.fixture(scope="module")
def trained(
    ours: Library, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Epochs]:
    """What two ranks of a framework are served with an order; all orders are trained in one go."""

    @cache
    def run(framework: str) -> dict[str, Epochs]:
        needed = "accelerate" if framework == "accelerate" else "lightning"
        pytest.importorskip(needed, reason=f"{needed} is not installed (extra: callers)")
        return train(ours, tmp_path_factory.mktemp(framework), framework)

    return lambda framework, order: run(framework)[order]


def train(ours: Library, folder: Path, framework: str) -> dict[str, Epochs]:
    """What two ranks are served with each order."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    result = subprocess.run(
        [*launcher, ranks.__file__, framework, str(ours.root), str(folder)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    served = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]
    return {
        order: [[[tuple(sample) for sample in epoch] for epoch in rank[order]] for rank in served]
        for order in ranks.ORDERS
    }


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_ranks_share_the_epochs(trained: Callable[[str, str], Epochs], framework: str) -> None:
    served = trained(framework, "shuffled")
    orders = []
    for epoch in range(ranks.EPOCHS):
        shares = [rank[epoch] for rank in served]
        assert [len(share) for share in shares] == [32, 32]
        labels = [sample[-1] for sample in (*shares[0], *shares[1])]
        assert [labels.count(label) for label in range(3)] == list(COUNTS.values())
        assert len({*shares[0], *shares[1]}) == 64
        orders.append(shares)
    assert orders[0] != orders[1], "every epoch has its own order"


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("order", ["balanced", "batches of classes"])
def test_ranks_share_balanced_epochs(
    trained: Callable[[str, str], Epochs], framework: str, order: str
) -> None:
    served = trained(framework, order)
    epochs = []
    for epoch in range(ranks.EPOCHS):
        shares = [rank[epoch] for rank in served]
        assert [len(share) for share in shares] == [24, 24]
        if order == "batches of classes":
            for share in shares:
                labels = np.array([sample[-1] for sample in share]).reshape(-1, 2, 3)
                assert (labels == labels[..., :1]).all()
                assert (labels[:, 0, 0] != labels[:, 1, 0]).all()
        drawn = Counter(sample for share in shares for sample in share)
        for label, images in enumerate(COUNTS.values()):
            times = [count for sample, count in drawn.items() if sample[-1] == label]
            # Sixteen of each class: of the ten of the smallest one, each comes once or twice.
            assert 15 <= sum(times) <= 18 and len(times) == min(sum(times), images)
            assert max(times) - min(times) <= 1
        epochs.append(shares)
    assert epochs[0] != epochs[1], "every epoch has its own order"
