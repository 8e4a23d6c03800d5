"""The commands, as a user types them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

import fastload
from tests.train_ref.conftest import figures
from train_ref.cli import main
from train_ref.config import Config
from train_ref.ensemble import load_members, predict_shares
from train_ref.metrics import score
from train_ref.training import Training

pytestmark = pytest.mark.filterwarnings("ignore:Images of|An epoch leaves out|Note")


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def settings(quick: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "settings.yaml"
    path.write_text(quick.to_yaml())
    return path


@pytest.fixture(scope="module")
def done(settings: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A run that is through."""
    out = tmp_path_factory.mktemp("runs")
    return out / "one", run("fit", "--config", settings, "--out", out, "--name", "one")


def test_fit_leaves_all_of_a_run(done: tuple[Path, Result], train_pack: Path) -> None:
    folder, result = done
    assert result.exit_code == 0, result.output
    files = {path.name for path in folder.iterdir() if not path.name.startswith("events.")}
    assert files == {
        "config.yaml",
        "run.json",
        "metrics.jsonl",
        "last.pt",
        "best.pt",
        "val.npz",
        "seen.npz",
    }
    facts = json.loads((folder / "run.json").read_text())
    assert facts["classes"] == ["ant", "bee", "cat", "dog"]
    assert sum(facts["counts"]) == 17 and sum(facts["val_counts"]) == 5
    assert (facts["data"], facts["val_data"]) == (str(train_pack), None)
    assert (facts["split"], facts["fold"], facts["device"]) == ("holdout20", None, "cpu")
    assert facts["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert facts["parameters"] > 1000 and len(facts["fingerprint"]) == 64
    assert "from scratch" in facts["origin"] and "from scratch" in result.output
    assert re.search(r"epoch 2/2: .*images/s, waiting [\d.]+%, loss [\d.]+", result.output)
    assert re.search(r"macro_f1 +0\.\d+  \(a constant answer: 0\.\d+", result.output)


def test_figures_are_in_tensorboards_form_too(done: tuple[Path, Result]) -> None:
    loading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = loading.EventAccumulator(str(done[0]))
    events.Reload()
    losses = [(one.step, one.value) for one in events.Scalars("step/loss")]
    logged = [(line["step"], line["loss"]) for line in figures(done[0]) if line["kind"] == "step"]
    assert losses == [(step, pytest.approx(loss)) for step, loss in logged]
    assert events.Scalars("val/macro_f1")[-1].step == 8


def test_a_run_that_is_through_has_nothing_left(done: tuple[Path, Result]) -> None:
    before = (done[0] / "metrics.jsonl").read_bytes()
    result = run("fit", "--resume", done[0])
    assert result.exit_code == 0 and "nothing to go on with" in result.output
    assert (done[0] / "metrics.jsonl").read_bytes() == before


def test_a_run_is_never_written_over(done: tuple[Path, Result], settings: Path) -> None:
    result = run("fit", "--config", settings, "--out", done[0].parent, "--name", "one")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ") and "--resume" in result.output


def test_eval_finds_the_runs_own_scores(done: tuple[Path, Result], train_pack: Path) -> None:
    final = figures(done[0])[-1]
    result = run("eval", "--ckpt", done[0] / "best.pt", "--device", "cpu", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    for name, value in final["scores"].items():
        assert found[name] == pytest.approx(value)
    assert found["tau"] == final["tau"] and found["images"] == 5
    assert [one["name"] for one in found["classes"]] == ["ant", "bee", "cat", "dog"]
    named = ["--data", train_pack, "--split", "holdout20", "--part", "val"]
    again = run("eval", "--ckpt", done[0] / "best.pt", "--device", "cpu", "--json", *named)
    assert json.loads(again.stdout) == found
    shown = run("eval", "--ckpt", done[0] / "best.pt", "--device", "cpu", "--data", train_pack)
    assert "22 images of" in shown.output and "a constant answer" in shown.output


def test_eval_scores_views_by_their_mean(done: tuple[Path, Result], train_pack: Path) -> None:
    ckpt = done[0] / "best.pt"
    wanted = ["--device", "cpu", "--json", "--data", train_pack, "--tta", "dihedral"]
    found = json.loads(run("eval", "--ckpt", ckpt, *wanted).stdout)
    members = load_members([ckpt], torch.device("cpu"))
    loaded, images = members[0].loaded, fastload.ImageFolder(train_pack)
    shares = predict_shares(members, images, loaded.config, ["dihedral"])
    expected = score(shares, np.asarray(images.targets), loaded.counts).headline()
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert (shares != predict_shares(members, images, loaded.config)).any()


def test_eval_refuses_other_classes(done: tuple[Path, Result], tmp_path: Path) -> None:
    from tests.conftest import write_label_folder

    other = write_label_folder(tmp_path / "other", {"ant": 1, "fox": 1})
    result = run("eval", "--ckpt", done[0] / "best.pt", "--device", "cpu", "--data", other)
    assert result.exit_code == 1 and "(ant, fox) are not the checkpoint's" in result.output


def test_ctrl_c_says_how_to_go_on_and_folds_go_on(
    settings: Path, copied_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two folds is interrupted; the first one stays as it is."""
    out = ["--out", tmp_path, "--data", copied_pack, "--folds", "2"]
    whole = run("fit", "--config", settings, *out, "--name", "whole")
    assert whole.exit_code == 0, whole.output
    assert re.search(r"macro_f1 +0\.\d{4} ± 0\.\d{4} over 2 folds", whole.output)
    plain_step = Training._step

    def step(self: Training, *batch: Any) -> Any:
        if self.standing.step == 2 and self.config.fold == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return plain_step(self, *batch)

    folder = tmp_path / "stopped"
    with monkeypatch.context() as patch:
        patch.setattr(Training, "_step", step)
        result = run("fit", "--config", settings, *out, "--name", "stopped")
    assert result.exit_code == 128 + signal.SIGINT
    assert f"To go on: python -m train_ref fit --resume {folder}\n" in result.output
    first = (folder / "fold0" / "best.pt").stat().st_mtime_ns
    result = run("fit", "--resume", folder)
    assert result.exit_code == 0, result.output
    assert (folder / "fold0" / "best.pt").stat().st_mtime_ns == first
    for fold in ("fold0", "fold1"):
        assert figures(folder / fold) == figures(tmp_path / "whole" / fold)
    assert result.output.splitlines()[-4:] == whole.output.splitlines()[-4:]


@pytest.fixture
def copied_pack(small_pack: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_pack, tmp_path / "copied.pack")
    return tmp_path / "copied.pack"


def test_one_fold_is_named_by_model_time_and_fold(
    settings: Path, copied_pack: Path, tmp_path: Path
) -> None:
    words = ["--folds", "3", "--fold", "2", "--epochs", "1", "--data", copied_pack]
    assert run("fit", "--config", settings, *words, "--out", tmp_path / "o").exit_code == 0
    (folder,) = (tmp_path / "o").iterdir()
    assert re.fullmatch(r"tiny-\d{8}-\d{6}-fold2", folder.name)
    assert json.loads((folder / "run.json").read_text())["fold"] == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--balance", "sqr"], "--balance: "),
        (["--progressive", "1:2:3"], "--progressive is"),
        (["--epochs", "-1"], "--epochs is -1"),
        (["--two-stage", "crt", "--val", "0"], "--two-stage is kept"),
        (["--data", "gone"], "gone is not there"),
        (["--fold", "3"], "--fold is of a split"),
        (["--model", "resnet1"], "resnet1"),
        (["--model", "clip:x", "--clip-mode", "linear-probe", "--mixup", "1"], "linear-probe"),
        (["--no-hflip-classes", "cow"], "--no-hflip-classes names 'cow'"),
        (["--config", "gone.yaml"], "gone.yaml cannot be read"),
        (["--resume", "gone"], "--resume"),
    ],
)
def test_what_a_user_can_mend_is_one_message(
    settings: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    out = ["--out", tmp_path / "runs", "--name", "x"]
    result = run("fit", "--config", settings, *out, *words)
    assert result.exit_code in (1, 2) and message in result.output
    assert isinstance(result.exception, SystemExit), "no traceback"
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_said_first(tmp_path: Path) -> None:
    result = run("fit", "--data", tmp_path / "gone", "--device", "cuda")
    assert result.exit_code == 1 and "torch finds no GPU" in result.output


def test_resume_needs_a_runs_folder(tmp_path: Path) -> None:
    result = run("fit", "--resume", tmp_path)
    assert result.exit_code == 1 and "no run's folder" in result.output


def test_help_and_wrong_settings_do_without_torch() -> None:
    """They answer at once: the program names what it has imported."""
    program = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from train_ref.cli import main\n"
        "shown = CliRunner().invoke(main, ['fit', '--help'])\n"
        "assert '--no-hflip-classes' in shown.output and '[cosine]' in shown.output\n"
        "wrong = CliRunner().invoke(main, ['fit', '--epochs', '-1'])\n"
        "assert '--epochs is -1' in wrong.output\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_commands_are_listed_and_others_refused() -> None:
    shown = run("--help").output
    assert all(name in shown for name in ("fit", "eval", "predict", "report"))
    assert run("train").exit_code == 2
