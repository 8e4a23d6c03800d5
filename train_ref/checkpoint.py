"""Checkpoints: files of tensors and plain values, whole or not there, that run no code when read.

Every checkpoint has what predicts: model, config, classes, counts, input, tau. ``last.pt`` has
what training goes on from besides: optimizer, scaler, ema, loader, rng, place.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from train_ref.config import Config, settings_of
from train_ref.errors import TrainError
from train_ref.models import build
from train_ref.models.classifier import Classifier, InputConfig
from train_ref.run_folder import written_whole

__all__ = ["Loaded", "load_model", "load_state", "model_state", "save_state"]

_KEYS = ("model", "config", "classes", "counts", "input", "tau")


@dataclass(frozen=True)
class Loaded:
    """A trained model and what is to be known of it.

    Attributes:
        model: in evaluation mode.
        config: the settings that it was trained with.
        input: the images that it wants.
        classes: names, by label.
        counts: int64, shape (classes,): the images it was trained with.
        tau: of the post-hoc adjustment, chosen on validation; 0 for none.
    """

    model: Classifier
    config: Config
    input: InputConfig
    classes: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    tau: float


def model_state(loaded: Loaded) -> dict[str, Any]:
    """Return what of a checkpoint predicts: tensors and plain values."""
    return {
        "model": loaded.model.state_dict(),
        "config": loaded.config.to_yaml(),
        "classes": list(loaded.classes),
        "counts": torch.from_numpy(loaded.counts),
        "input": asdict(loaded.input),
        "tau": float(loaded.tau),
    }


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint; a process that is killed meanwhile leaves the one that was there.

    Args:
        path: the file.
        state: tensors and plain values.

    Raises:
        TrainError: the disk is full or the folder cannot be written.
    """
    try:
        with written_whole(path) as file:
            torch.save(dict(state), file)
    except (OSError, RuntimeError) as error:
        raise TrainError(
            f"The checkpoint {path} cannot be written: {error}. The one before is as it was."
        ) from error


def load_state(path: Path) -> dict[str, Any]:
    """Read a checkpoint into main memory.

    Raises:
        TrainError: it is not there, damaged or none of train_ref's.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise TrainError(f"There is no checkpoint {path}.") from error
    except pickle.UnpicklingError as error:
        raise TrainError(
            f"{path} is no checkpoint that can be read: it is damaged, or has more in it than "
            "tensors and plain values, which is not loaded since it could run code."
        ) from error
    except (OSError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        raise TrainError(f"{path} is no checkpoint that can be read: {_line(error)}") from error
    missing = [key for key in _KEYS if not isinstance(state, dict) or key not in state]
    if missing:
        raise TrainError(
            f"{path} is no checkpoint of train_ref: it has no {', '.join(missing)}. Weights of "
            "others are a start for training: fit --weights."
        )
    return dict(state)


def load_model(path: Path, device: torch.device) -> Loaded:
    """Build the model of a checkpoint.

    Args:
        path: a run's best.pt or last.pt.
        device: where the model is put.

    Raises:
        TrainError: it cannot be read, or its model cannot be built here.
    """
    state = load_state(path)
    config = Config(**settings_of(state["config"], str(path)))
    classes = tuple(state["classes"])
    # Whatever it started from, all weights are the checkpoint's now.
    bare = config.replace(pretrained=False, weights=None, prompts=None)
    model = build(bare, classes).model
    try:
        # What a run goes on from has, beside the weights, the average that it is validated by.
        model.load_state_dict({**state["model"], **(state.get("ema") or {})})
    except RuntimeError as error:
        raise TrainError(f"{path} does not fit the model {config.model}: {_line(error)}") from error
    if config.channels_last:
        model = model.to(memory_format=torch.channels_last)
    counts = state["counts"].numpy()
    model = model.to(device).eval()
    return Loaded(model, config, _input(state["input"]), classes, counts, float(state["tau"]))


def _line(error: Exception) -> str:
    """Torch's errors are lists over many lines."""
    return " ".join(str(error).split())


def _input(stored: Mapping[str, Any]) -> InputConfig:
    known = {one.name for one in fields(InputConfig)}
    return InputConfig(**{name: value for name, value in stored.items() if name in known})
