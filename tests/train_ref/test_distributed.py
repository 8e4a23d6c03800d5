"""Two processes that train together: what they exchange, and a run of theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.train_ref import ranks
from tests.train_ref.conftest import figures
from tests.train_ref.test_resuming import check_same
from train_ref.checkpoint import load_model, load_state
from train_ref.data import evaluation_loader, open_parts, paths_of
from train_ref.distributed import device_of, gather_rows, joined
from train_ref.errors import TrainError
from train_ref.evaluation import predict_logits
from train_ref.run_folder import RunFolder, load_logits


@pytest.fixture(scope="module")
def folder(train_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes have left behind."""
    folder = tmp_path_factory.mktemp("ranks")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    program = [str(Path(ranks.__file__)), str(train_pack), str(folder)]
    done = subprocess.run(
        [*torchrun, "--nproc-per-node=2", *program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


def test_uneven_shares_are_put_together_in_order(found: list[dict[str, Any]]) -> None:
    for one in found:
        for count in (7, 2, 1):
            assert one["gathered"][str(count)] == [[row] * 3 for row in range(count)]
        assert one["gathered"]["0"] == []


def test_processes_agree(found: list[dict[str, Any]], folder: Path) -> None:
    for one in found:
        assert one["any"] == [True, False]
        assert one["mean"] == [0.5, 4.0]
        assert one["text"] == "훼손 of 0"
        assert one["buffer"] == [1.0, 1.0]
    assert [one["first"] for one in found] == [True, False]
    assert (folder / "order").read_text() == "01"


def test_each_validation_image_is_counted_once(folder: Path, train_pack: Path) -> None:
    config = ranks.settings(str(train_pack))
    val = open_parts(config).val
    assert val is not None and len(val) % 2, "an odd number, so that shares are uneven"
    kept = load_logits(RunFolder(folder / "whole").logits)
    assert kept.paths == paths_of(val)[1]
    loaded = load_model(folder / "whole" / "best.pt", torch.device("cpu"))
    loader = evaluation_loader(val, config, loaded.input)
    logits, labels = predict_logits(loaded.model, loader, loaded.input, torch.device("cpu"))
    np.testing.assert_allclose(kept.logits, logits, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(kept.labels, labels)


def test_all_processes_end_with_the_same_result(found: list[dict[str, Any]], folder: Path) -> None:
    assert found[0]["results"] == found[1]["results"]
    # Batches are over both: an epoch has as many steps as one process would make.
    steps = [line for line in figures(folder / "whole") if line["kind"] == "step"]
    assert [line["step"] for line in steps] == list(range(1, 9))


def test_a_run_of_two_goes_on_to_the_bit(folder: Path) -> None:
    assert load_state(folder / "killed" / "last.pt")["step"] == 8
    check_same(folder / "killed", folder / "whole")
    states = load_state(folder / "whole" / "last.pt")["rng"]
    assert len(states) == 2 and not torch.equal(states[0]["cpu"], states[1]["cpu"])


def test_alone_there_is_nothing_to_join(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined("cpu") as place:
        assert (place.rank, place.ranks, place.device.type) == (0, 1, "cpu")
    rows = torch.arange(3)
    assert gather_rows(rows) is rows


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_one_message() -> None:
    assert device_of("auto") == torch.device("cpu")
    for wanted in ("cuda", "cuda:3"):
        with pytest.raises(TrainError, match=f"--device is {wanted}, but torch finds no GPU"):
            device_of(wanted)


@pytest.mark.parametrize("wanted", ["gpu", "mps", ""])
def test_unknown_devices_are_refused(wanted: str) -> None:
    with pytest.raises(TrainError, match="it is cpu, cuda"):
        device_of(wanted)
