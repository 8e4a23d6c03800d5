"""One run: from settings to a finished folder."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

import fastload
from train_ref.batches import Batches, FeatureBatches, ImageBatches, resolutions
from train_ref.checkpoint import Loaded, model_state, save_state
from train_ref.config import Config
from train_ref.data import (
    Parts,
    check_balance,
    evaluation_loader,
    open_parts,
    training_dataset,
    training_loader,
    training_mix,
)
from train_ref.distributed import Place, first_before_others, is_first
from train_ref.errors import TrainError
from train_ref.evaluation import Answers, FeatureAnswers, ImageAnswers
from train_ref.finishing import finish
from train_ref.losses import make_loss
from train_ref.metrics import METRICS
from train_ref.models import build
from train_ref.models.classifier import Built, Classifier
from train_ref.precision import Precision
from train_ref.progress import say
from train_ref.run_folder import MetricLog, RunFolder, write_whole
from train_ref.stopping import listening
from train_ref.training import Training

__all__ = ["check", "result_of", "train"]

_LIBRARIES = ("torch", "torchvision", "numpy", "pillow", "timm", "open_clip_torch")


def check(config: Config) -> None:
    """Refuse settings that cannot be run, before anything is read.

    Raises:
        TrainError: some contradict one another.
    """
    check_balance(config)
    resolutions(config)
    probes = config.model.startswith("clip:") and config.clip_mode == "linear-probe"
    if probes and (config.mixup or config.cutmix or config.progressive):
        raise TrainError(
            "--clip-mode linear-probe computes features once: --mixup, --cutmix and --progressive "
            "have no images to change. Leave them out, or take --clip-mode fine-tune."
        )
    validates = config.val or config.val_data or config.folds or config.split
    if config.two_stage != "none" and not validates:
        raise TrainError("--two-stage is kept where it is better on validation: give --val.")


def train(config: Config, folder: RunFolder, place: Place, *, goes_on: bool) -> dict[str, float]:
    """Train a run, or the rest of one, and finish it.

    Args:
        config: the settings.
        folder: the run's; it is made where it is not there.
        place: this process.
        goes_on: whether the folder's own checkpoint is where it begins.

    Returns:
        The metrics on the validation images, by name; none without such images.

    Raises:
        TrainError: the data, the model or a setting does not do.
        StoppedError: a signal has come; all is saved.
    """
    check(config)
    _be_deterministic(config)
    parts = open_parts(config)
    with first_before_others():  # what is downloaded is downloaded once
        built = build(config, parts.classes)
    run = _assembled(config, parts, built, place)
    say(f"{built.origin} {_sizes(parts)}")
    if goes_on and folder.facts.exists():
        _check_same_images(folder, parts)
    elif is_first():
        _write_settings(config, folder, parts, built, place)
    torch.manual_seed(config.seed + place.rank)
    with listening() as stop:
        if run.batches is None:
            _keep_untrained(run, folder)
        else:
            training = Training(
                run.whole,
                run.learner,
                run.batches,
                make_loss(config, parts.counts, run.draws),
                run.precision,
                run.validation,
                place,
                folder,
                stop,
            )
            if goes_on:
                training.go_on()
            training.run()
        return finish(run.whole, run.validation, parts.val, run.training_answers, folder)


@dataclass(frozen=True)
class _Run:
    """The parts of a run.

    Attributes:
        whole: the model on its device.
        learner: what is trained: the model, or a head on features.
        batches: what it learns from; None where there is nothing to train.
        draws: expected draws of each class in an epoch, float64, shape (classes,); None for each
            image once.
        precision: of forward passes.
        validation: asks the model about the validation images.
        training: asks it about the training images, where that is known already.
        images: of training.
        place: this process.
    """

    whole: Loaded
    learner: nn.Module
    batches: Batches | None
    draws: npt.NDArray[np.float64] | None
    precision: Precision
    validation: Answers | None
    training: Answers | None
    images: fastload.ImageFolder
    place: Place

    def training_answers(self) -> Answers:
        """What asks the model about the training images, without augmentation."""
        if self.training is not None:
            return self.training
        return _answers(self.whole, self.images, self.precision, self.place)


def _assembled(config: Config, parts: Parts, built: Built, place: Place) -> _Run:
    model = built.model.to(place.device)
    if config.channels_last:
        model = model.to(memory_format=torch.channels_last)
    whole = Loaded(model, config, built.input, parts.classes, parts.counts, 0.0)
    precision = Precision(config, place.device)
    validation: Answers | None = None
    if parts.val is not None:
        validation = _answers(whole, parts.val, precision, place)
    run = _Run(whole, model, None, None, precision, validation, None, parts.train, place)
    if config.epochs == 0 or (built.frozen_body and config.clip_mode == "zero-shot"):
        return run
    return _probing(run, parts) if built.frozen_body else _learning(run, parts)


def _answers(
    whole: Loaded, images: fastload.ImageFolder, precision: Precision, place: Place
) -> ImageAnswers:
    loader = evaluation_loader(images, whole.config, whole.input)
    return ImageAnswers(whole.model, loader, whole.input, place.device, precision.autocast)


def _learning(run: _Run, parts: Parts) -> _Run:
    """A run that trains the whole model on augmented images."""
    config, wanted = run.whole.config, run.whole.input
    _check_resolutions(run)
    loader = training_loader(training_dataset(config, parts.train, wanted), config, run.place)
    mix = training_mix(config, len(parts.classes))
    batches = ImageBatches(loader, config, wanted, mix, run.place.device)
    draws = None
    if config.balance != "none" or config.max_repeats is not None:
        expected = loader.balance_report(0).expected
        draws = expected.repeats * expected.images
    return replace(run, batches=batches, draws=draws)


def _probing(run: _Run, parts: Parts) -> _Run:
    """A run that trains the head alone, on features that are computed here and now."""
    say("Features of all images are computed once; the head learns from them, unaugmented.")
    whole, place = run.whole, run.place
    images = _answers(whole, parts.train, run.precision, place)
    training = FeatureAnswers(whole.model, images)
    validation = run.validation
    if isinstance(validation, ImageAnswers):
        validation = FeatureAnswers(whole.model, validation)
    features, labels = (torch.from_numpy(one) for one in training.features())
    learner = Classifier(
        nn.Identity(), whole.model.head, whole.model.width, whole.config.dropout
    ).to(place.device)
    batches = FeatureBatches(features, labels, parts.classes, whole.config, place)
    return replace(
        run,
        learner=learner,
        batches=batches,
        training=training,
        validation=validation,
        draws=batches.draws,
    )


def _check_resolutions(run: _Run) -> None:
    """Some models take images of one size alone: said now, not when that epoch begins."""
    model, size = run.whole.model, 0
    model.eval()
    try:
        with torch.inference_mode():
            for _, size in resolutions(run.whole.config):
                model(torch.zeros(1, 3, size, size, device=run.place.device))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise TrainError(
            f"--progressive: {run.whole.config.model} takes no images of {size} pixels: {error}"
        ) from error


def _keep_untrained(run: _Run, folder: RunFolder) -> None:
    say("There is nothing to train: the model is validated as it is.")
    with first_before_others():  # which read it next
        if is_first():
            save_state(folder.best, model_state(run.whole))


def _be_deterministic(config: Config) -> None:
    if config.deterministic:
        # cuBLAS wants it before its first call.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.benchmark = False


def _sizes(parts: Parts) -> str:
    validated = 0 if parts.val is None else len(parts.val)
    return (
        f"{len(parts.train):,} images of {len(parts.classes)} classes to learn from, "
        f"{validated:,} to validate with."
    )


def _write_settings(
    config: Config, folder: RunFolder, parts: Parts, built: Built, place: Place
) -> None:
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        write_whole(folder.config, config.to_yaml().encode())
        folder.write_facts(_facts(config, parts, built, place))
    except OSError as error:
        raise TrainError(f"The run's folder {folder.path} cannot be written: {error}") from error


def _check_same_images(folder: RunFolder, parts: Parts) -> None:
    before, now = folder.read_facts().get("fingerprint"), _fingerprint(parts)
    if before != now:
        raise TrainError(
            f"{parts.train.root} has other images than when {folder.path} began: begin a new run."
        )


def _fingerprint(parts: Parts) -> str:
    # The index has a checksum of each image, and is another one once images are appended.
    return parts.train.pack.manifest.index.sha256


def _facts(config: Config, parts: Parts, built: Built, place: Place) -> dict[str, Any]:
    val_counts = [] if parts.val is None else parts.val.class_counts.tolist()
    own = parts.val is not None and parts.split is None
    return {
        "versions": _versions(),
        "seed": config.seed,
        "classes": list(parts.classes),
        "counts": parts.counts.tolist(),
        "val_counts": val_counts,
        "data": os.path.abspath(parts.train.root),  # noqa: PTH100 (links stay as they are named)
        "val_data": os.path.abspath(parts.val.root) if own and parts.val is not None else None,  # noqa: PTH100
        "split": parts.split,
        "fold": parts.fold,
        "part": {"training": "train", "validation": "val"},
        "fingerprint": _fingerprint(parts),
        "origin": built.origin,
        "device": _device_words(place),
        "model": config.model,
        "parameters": sum(one.numel() for one in built.model.parameters()),
        "command": sys.argv,
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "fastload": fastload.__version__}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _device_words(place: Place) -> str:
    name = "cpu"
    if place.device.type == "cuda":
        name = torch.cuda.get_device_name(place.device)
    return name if place.ranks == 1 else f"{place.ranks} x {name}"


def result_of(folder: RunFolder) -> dict[str, float] | None:
    """Return the metrics of a run that is through; None of one that is not.

    Raises:
        TrainError: its figures cannot be read.
    """
    try:
        finals = [line for line in MetricLog(folder.metrics) if line["kind"] == "final"]
    except (OSError, ValueError, KeyError) as error:
        raise TrainError(f"{folder.metrics} cannot be read: {error}") from error
    if not finals:
        return None
    scores = finals[-1]["scores"] or {}
    return {name: scores[name] for name in METRICS if name in scores}
