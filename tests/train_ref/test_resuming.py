"""Going on after any step ends in the very figures and weights of a run that nobody disturbed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.train_ref.conftest import figures, trained
from train_ref import training
from train_ref.checkpoint import load_state
from train_ref.config import Config
from train_ref.run_folder import RunFolder, load_logits

pytestmark = pytest.mark.filterwarnings("ignore:Images of|An epoch leaves out")

# All that draws, averages or remembers.
EVERYTHING: dict[str, Any] = {
    "save_every": 1,
    "dropout": 0.3,
    "ema": 0.9,
    "optimizer": "sgd",
    "schedule": "one-cycle",
    "accumulate": 2,
    "clip_norm": 1.0,
    "mixup": 0.4,
    "cutmix": 1.0,
    "mix_off": 1,
    "progressive": ("0:16", "1:24"),
    "augment": "randaugment",
    "erasing": 0.3,
    "no_hflip_classes": ("bee",),
    "balance": "progressive",
    "max_repeats": 9,
    "loss": "ldam",
    "drw": 0.5,
    "two_stage": "crt",
}


def same(one: Any, other: Any) -> bool:
    """Whether two states are equal to the bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def without_clock(state: dict[str, Any]) -> dict[str, Any]:
    fleeting = {"seconds": 0, "waited": 0}
    return {**state, "standing": {**state["standing"], **fleeting}}


def check_same(folder: Path, other: Path) -> None:
    assert figures(folder) == figures(other)
    for name in ("last.pt", "best.pt"):
        one, two = load_state(folder / name), load_state(other / name)
        if name == "last.pt":
            one, two = without_clock(one), without_clock(two)
        assert same(one, two), name
    one_answers, two_answers = (load_logits(RunFolder(one).logits) for one in (folder, other))
    assert (one_answers.logits == two_answers.logits).all()


@pytest.fixture(scope="module")
def whole(quick: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with everything, and copies of its folder as it was at each save."""
    root = tmp_path_factory.mktemp("runs")
    plain_save = training.save_state

    def save(path: Path, state: dict[str, Any]) -> None:
        plain_save(path, state)
        if path.name == "last.pt":
            shutil.copytree(path.parent, root / f"killed-{state['step']}-{state['epoch']}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "save_state", save)
        trained(quick.replace(**EVERYTHING), root / "whole")
    return root / "whole"


def test_from_every_step_it_ends_the_same(whole: Path, quick: Config) -> None:
    killed = sorted(whole.parent.glob("killed-*"))
    # Of the four steps of each epoch the last one is saved when the epoch is through.
    assert [path.name for path in killed] == [f"killed-{step}-{step // 4}" for step in range(1, 9)]
    for folder in killed:
        # It was killed later: figures of steps that are not in the checkpoint are in the log.
        shutil.copy(whole / "metrics.jsonl", folder)
        trained(quick.replace(**EVERYTHING), folder, goes_on=True)
        check_same(folder, whole)


def test_a_run_that_has_no_checkpoint_yet_begins_anew(
    whole: Path, quick: Config, tmp_path: Path
) -> None:
    shutil.copy(whole / "metrics.jsonl", tmp_path)
    trained(quick.replace(**EVERYTHING), tmp_path, goes_on=True)
    check_same(tmp_path, whole)


def test_finishing_again_begins_with_the_head_that_training_ended_with(
    whole: Path, quick: Config, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    trained(quick.replace(**EVERYTHING), folder, goes_on=True)
    check_same(folder, whole)


def test_after_kill_9_it_ends_the_same(quick: Config, tmp_path: Path) -> None:
    config = quick.replace(
        save_every=3, dropout=0.3, mixup=0.3, out=str(tmp_path), name="killed", epochs=25
    )
    settings = tmp_path / "settings.yaml"
    settings.write_text(config.to_yaml())
    # All by the command line: what has run in this process may have set torch's threads.
    fit = [sys.executable, "-m", "train_ref", "fit"]
    command = [*fit, "--config", str(settings)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    (tmp_path / "killed").rename(tmp_path / "whole")
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_for_steps(process, tmp_path / "killed", 10)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert steps_of(tmp_path / "killed") < 100
    resumed = [*fit, "--resume", str(tmp_path / "killed")]
    subprocess.run(resumed, check=True, stderr=subprocess.DEVNULL)
    check_same(tmp_path / "killed", tmp_path / "whole")


def test_another_number_of_threads_is_told(
    whole: Path, quick: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole.parent / "killed-2-0", folder)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before + 1)
        trained(quick.replace(**EVERYTHING), folder, goes_on=True)
    finally:
        torch.set_num_threads(before)
    said = "".join(capsys.readouterr())
    assert f"{before + 1} of torch's threads instead of {before}" in said


def steps_of(folder: Path) -> int:
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return json.loads(lines[-1])["step"] if lines and lines[-1].endswith("}") else 0


def wait_for_steps(process: subprocess.Popen[Any], folder: Path, steps: int) -> None:
    deadline = time.monotonic() + 60
    while steps_of(folder) < steps:
        assert process.poll() is None, "it ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert (folder / "last.pt").exists()
