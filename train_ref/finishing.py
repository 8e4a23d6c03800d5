"""What follows training: a second stage for the head, tau, and the figures that remain."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

import fastload
from train_ref.adjustment import Adjustment, choose_tau, cross_fitted
from train_ref.checkpoint import Loaded, load_state, model_state, save_state
from train_ref.data import paths_of
from train_ref.distributed import is_first
from train_ref.evaluation import Answers
from train_ref.metrics import METRICS, score
from train_ref.progress import say
from train_ref.run_folder import Logits, MetricLog, RunFolder, save_logits
from train_ref.two_stage import choose_tau_norm, retrain_head, tau_normalised

__all__ = ["finish"]

# Of the retrained head. Its features are computed once, so that an epoch takes a moment; small
# data has more of them, since a head does not get far in a few steps.
_HEAD_EPOCHS = (10, 1000)
_HEAD_IMAGES = 64_000
_HEAD_LR = 0.001
_HEAD_DECAY = 0.0005
# The head that training ended with: what a finishing that is done again begins from.
_TRAINED_HEAD = "trained_head"


@dataclass(frozen=True)
class _Candidate:
    """A head that may be the one that is kept.

    Attributes:
        stage: "none", "crt" or "tau-norm".
        head: the layer.
        logits: float32, shape (images, classes), of the validation images.
        found: their best adjustment; tau is 0 where none is wanted.
    """

    stage: str
    head: nn.Module
    logits: npt.NDArray[np.float32]
    found: Adjustment


def finish(
    whole: Loaded,
    validation: Answers | None,
    images: fastload.ImageFolder | None,
    training: Callable[[], Answers],
    folder: RunFolder,
) -> dict[str, float]:
    """Make the best epoch's model the run's result; all processes have to ask.

    A second stage is kept where it makes the metric better on the validation images, with the tau
    that is best for each. best.pt, val.npz and the last line of metrics.jsonl are written.

    Args:
        whole: the model, which takes on the best epoch's weights.
        validation: asks it about the validation images; None where there are none.
        images: these images, in the same order.
        training: makes what asks it about the training images, without augmentation.
        folder: of the run.

    Returns:
        The metrics, by name; none without validation images.
    """
    state = load_state(folder.best)
    whole.model.load_state_dict(state["model"])
    if _TRAINED_HEAD in state:
        whole.model.head.load_state_dict(state[_TRAINED_HEAD])
    trained_head = copy.deepcopy(whole.model.head.state_dict())
    log = MetricLog(folder.metrics)
    if validation is None or images is None:
        if is_first():
            log.append(kind="final", scores=None, tau=0.0, scores_before=None, two_stage="none")
        return {}
    kept, labels = _best_candidate(whole, validation, training)
    whole.model.head.load_state_dict(kept.head.state_dict())
    result = replace(whole, tau=kept.found.tau)
    if is_first():
        save_logits(folder.logits, Logits(kept.logits, labels, *paths_of(images)))
        save_state(folder.best, {**model_state(result), _TRAINED_HEAD: trained_head})
        figures = _figures(kept, labels, whole)
        log.append(kind="final", **figures)
        _tell(figures)
    return {name: kept.found.after.value(name) for name in METRICS}


def _best_candidate(
    whole: Loaded, validation: Answers, training: Callable[[], Answers]
) -> tuple[_Candidate, npt.NDArray[np.int64]]:
    config, head = whole.config, whole.model.head
    logits, labels = validation.logits()
    kept = _candidate("none", head, logits, labels, whole)
    if config.two_stage == "none":
        return kept, labels
    features, _ = validation.features()
    other = _second_head(whole, features, labels, training)
    with torch.inference_mode():
        asked = other(torch.from_numpy(features).to(_device_of(other))).float().cpu().numpy()
    second = _candidate(config.two_stage, other, asked, labels, whole)
    before, after = (one.found.after.value(config.metric) for one in (kept, second))
    verdict = "kept" if after > before else "not better, and not kept"
    say(f"{config.two_stage}: {config.metric} {before:.4f} -> {after:.4f}, {verdict}")
    return (second if after > before else kept), labels


def _second_head(
    whole: Loaded,
    features: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    training: Callable[[], Answers],
) -> nn.Linear:
    config, head = whole.config, whole.model.head
    assert isinstance(head, nn.Linear)
    if config.two_stage == "tau-norm":
        found = choose_tau_norm(head, features, labels, whole.counts, config.metric)
        return tau_normalised(head, found.tau)
    learnt, known = training().features()
    least, most = _HEAD_EPOCHS
    return retrain_head(
        learnt,
        known,
        whole.classes,
        epochs=min(max(least, _HEAD_IMAGES // len(known)), most),
        lr=_HEAD_LR,
        weight_decay=_HEAD_DECAY,
        seed=config.seed,
        init=head,
    )


def _candidate(
    stage: str,
    head: nn.Module,
    logits: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    whole: Loaded,
) -> _Candidate:
    if whole.config.adjust:
        found = choose_tau(logits, labels, whole.counts, whole.config.metric)
    else:
        scores = score(logits, labels, whole.counts)
        found = Adjustment(0.0, scores, scores)
    return _Candidate(stage, head, logits, found)


def _figures(kept: _Candidate, labels: npt.NDArray[np.int64], whole: Loaded) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "scores": kept.found.after.headline(),
        "tau": kept.found.tau,
        "scores_before": kept.found.before.headline(),
        "two_stage": kept.stage,
    }
    if whole.config.adjust and len(labels) > 1:
        honest = cross_fitted(kept.logits, labels, whole.counts, whole.config.metric)
        figures["scores_cross_fitted"] = honest.headline()
    return figures


def _tell(figures: dict[str, Any]) -> None:
    """Each metric, its floor, and what it was before tau."""
    after, before = figures["scores"], figures["scores_before"]
    honest = figures.get("scores_cross_fitted")
    for name in METRICS:
        words = f"{name:<18} {after[name]:.4f}  (a constant answer: {after[f'floor_{name}']:.4f}"
        if figures["tau"]:
            words += f"; without tau {before[name]:.4f}"
            words += f", tau chosen on other images {honest[name]:.4f}" if honest else ""
        say(words + ")")
    if figures["tau"]:
        say(f"tau of the logit adjustment: {figures['tau']:.3f}")


def _device_of(module: nn.Module) -> torch.device:
    return next(module.parameters()).device
