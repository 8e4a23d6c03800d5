"""The loop: what a step's loss is, what is kept, when it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.train_ref.conftest import figures, trained
from train_ref import training
from train_ref.batches import FeatureBatches, ImageBatches
from train_ref.checkpoint import Loaded, load_model, load_state
from train_ref.config import Config
from train_ref.data import evaluation_loader, open_parts, training_mix
from train_ref.distributed import Place
from train_ref.ema import Ema
from train_ref.errors import StoppedError, TrainError
from train_ref.evaluation import predict_logits
from train_ref.losses import make_loss
from train_ref.metrics import score
from train_ref.models.classifier import Classifier, InputConfig
from train_ref.precision import Precision
from train_ref.run_folder import MetricLog, RunFolder, load_logits
from train_ref.stopping import Stop
from train_ref.training import Training

pytestmark = pytest.mark.filterwarnings("ignore:Images of|An epoch leaves out")

CPU = Place(torch.device("cpu"))
CLASSES = ("a", "b", "c")


def linear_training(config: Config, folder: Path) -> tuple[Training, Classifier]:
    """A linear model on 10 images' features: no BatchNorm that would look at other images."""
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(10, 6, generator=generator)
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    head = nn.Linear(6, 3)
    with torch.no_grad():
        head.weight.copy_(torch.randn(3, 6, generator=generator))
        head.bias.zero_()
    model = Classifier(nn.Identity(), head, 6)
    counts = np.array([4, 3, 3], np.int64)
    whole = Loaded(model, config, InputConfig(), CLASSES, counts, 0.0)
    batches = FeatureBatches(features, labels, CLASSES, config, CPU)
    loss, precision = make_loss(config, counts, None), Precision(config, CPU.device)
    folder.mkdir()
    made = Training(whole, model, batches, loss, precision, None, CPU, RunFolder(folder), Stop())
    return made, model


@pytest.mark.parametrize("loss", ["ce", "weighted-ce", "focal", "ldam"])
@pytest.mark.parametrize(("batch_size", "parts"), [(10, 5), (10, 2), (16, 8)])
def test_a_steps_loss_is_the_mean_over_its_images_whatever_the_parts(
    tmp_path: Path, loss: str, batch_size: int, parts: int
) -> None:
    # Of 16, only 10 images are there: parts are of two images or one.
    config = Config(epochs=2, batch_size=batch_size, loss=loss, optimizer="sgd", clip_norm=0.5)
    at_once, one = linear_training(config, tmp_path / "one")
    in_parts, other = linear_training(config.replace(accumulate=parts), tmp_path / "other")
    at_once.run()
    in_parts.run()
    torch.testing.assert_close(one.state_dict(), other.state_dict())
    for name in ("loss", "grad_norm"):
        losses, others = (
            [line[name] for line in figures(tmp_path / run) if line["kind"] == "step"]
            for run in ("one", "other")
        )
        assert losses == pytest.approx(others, rel=1e-5) and len(losses) == 2


def test_the_first_loss_is_torchs_own(tmp_path: Path) -> None:
    made, model = linear_training(Config(epochs=1, batch_size=10), tmp_path / "run")
    inputs, targets = next(made._batches.begin(0))
    wanted = nn.functional.cross_entropy(model(inputs), targets)
    made._batches.load_state_dict({"epoch": 0, "done": 0})
    made.run()
    assert figures(tmp_path / "run")[0]["loss"] == pytest.approx(wanted.item(), rel=1e-6)


def test_a_loss_that_is_no_number_ends_the_run_with_advice(tmp_path: Path) -> None:
    made, model = linear_training(Config(epochs=1, batch_size=10), tmp_path / "run")
    nn.init.constant_(model.head.weight, torch.nan)
    with pytest.raises(TrainError, match=r"step 1 is nan.*Lower --lr"):
        made.run()


def test_figures_are_those_of_the_kept_model(quick: Config, tmp_path: Path) -> None:
    """What the log and best.pt say is checked against the model, asked again."""
    config = quick.replace(ema=0.5, epochs=3, adjust=False)
    result = trained(config, tmp_path)
    epochs = [line for line in MetricLog(RunFolder(tmp_path).metrics) if line["kind"] == "epoch"]
    best = max(epochs, key=lambda line: line["val"]["macro_f1"])
    loaded = load_model(tmp_path / "best.pt", CPU.device)
    val = open_parts(config).val
    assert val is not None
    loader = evaluation_loader(val, config, loaded.input)
    logits, labels = predict_logits(loaded.model, loader, loaded.input, CPU.device)
    kept = load_logits(RunFolder(tmp_path).logits)
    np.testing.assert_array_equal(kept.logits, logits)
    np.testing.assert_array_equal(kept.labels, labels)
    assert score(logits, labels, loaded.counts).headline() == best["val"]
    assert result["macro_f1"] == best["val"]["macro_f1"]
    assert [epoch["step"] for epoch in epochs] == [4, 8, 12]
    for epoch in epochs:
        assert 0 <= epoch["data_wait"] <= 1 and epoch["images_per_second"] > 0


def test_the_average_is_what_is_validated(
    quick: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    averages: list[Ema] = []
    monkeypatch.setattr(training, "Ema", lambda *a: averages.append(Ema(*a)) or averages[-1])
    trained(quick.replace(ema=0.9, epochs=1), tmp_path)
    kept = load_model(tmp_path / "best.pt", CPU.device).model.state_dict()
    torch.testing.assert_close(kept, averages[0].state_dict(), rtol=0, atol=0)
    assert load_state(tmp_path / "last.pt")["model"]["head.weight"].ne(kept["head.weight"]).any()
    # Who predicts with last.pt has the average too.
    last = load_model(tmp_path / "last.pt", CPU.device).model.state_dict()
    torch.testing.assert_close(last, kept, rtol=0, atol=0)


def test_the_batch_that_is_kept_is_the_one_that_was_trained_with(
    quick: Config, tmp_path: Path
) -> None:
    trained(quick.replace(epochs=1, augment="trivialaugment", mixup=0.3), tmp_path)
    with np.load(tmp_path / "seen.npz", allow_pickle=False) as seen:
        assert seen["images"].shape == (4, 32, 32, 3) and seen["images"].dtype == np.uint8
        assert seen["labels"].shape == (4,) and seen["labels"].dtype == np.int64


def test_it_ends_when_no_epoch_gets_better(
    quick: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(quick.replace(epochs=50, early_stop=2, lr=0.0), tmp_path)
    epochs = [line for line in figures(tmp_path) if line["kind"] == "epoch"]
    # With a learning rate of 0 the first epoch's macro F1 changes by BatchNorm alone.
    values = [line["val"]["macro_f1"] for line in epochs]
    best = values.index(max(values))
    assert len(values) == best + 3 < 50


def test_without_validation_the_last_epoch_is_the_best(quick: Config, tmp_path: Path) -> None:
    assert trained(quick.replace(val=0.0), tmp_path) == {}
    last, best = (load_model(tmp_path / name, CPU.device).model for name in ("last.pt", "best.pt"))
    torch.testing.assert_close(last.state_dict(), best.state_dict(), rtol=0, atol=0)
    assert figures(tmp_path)[-1]["scores"] is None


def test_a_signal_saves_at_the_next_step(
    quick: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(quick, tmp_path / "whole")
    plain_step = Training._step

    def step(self: Training, *batch: Any) -> Any:
        if self.standing.step == 4:  # the first of the second epoch
            os.kill(os.getpid(), signal.SIGTERM)
        return plain_step(self, *batch)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_step", step)
        with pytest.raises(StoppedError, match="--resume") as told:
            trained(quick, tmp_path / "run")
    assert told.value.number == signal.SIGTERM and told.value.folder == tmp_path / "run"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert [line["step"] for line in figures(tmp_path / "run")][-1] == 5
    trained(quick, tmp_path / "run", goes_on=True)
    assert figures(tmp_path / "run") == figures(tmp_path / "whole")


class _Loader:
    """Says what a loader is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.mix: Any = None

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        self.told.append("mixed" if self.mix is not None else "plain")
        return iter([])

    def set_resolution(self, size: int) -> None:
        self.told.append(size)

    def set_epoch(self, epoch: int) -> None:
        self.told.append(f"epoch {epoch}")


def test_epochs_grow_and_the_last_ones_are_not_mixed() -> None:
    config = Config(epochs=4, mixup=0.2, mix_off=1, progressive=("1:64", "3:96"))
    loader: Any = _Loader()
    mix = training_mix(config, 3)
    batches = ImageBatches(loader, config, InputConfig(size=128), mix, CPU.device)
    for epoch in range(4):
        list(batches.begin(epoch))
    sizes, mixed = (128, 64, 64, 96), ("mixed", "mixed", "mixed", "plain")
    told = zip(sizes, (f"epoch {epoch}" for epoch in range(4)), mixed, strict=True)
    assert loader.told == [word for words in told for word in words]


def test_compiled_models_are_what_is_trained(
    quick: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The compiler itself takes half a minute: here it says that it is used, and does nothing."""
    compiled: list[nn.Module] = []
    monkeypatch.setattr(torch, "compile", lambda model: compiled.append(model) or model)
    trained(quick.replace(compile=True, epochs=1), tmp_path)
    assert len(compiled) == 1 and isinstance(compiled[0], Classifier)
