"""All settings of a run, from flags or one YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from train_ref.errors import TrainError

__all__ = ["CHOICES", "Config", "flag_of", "load_yaml", "settings_of"]


def _setting(default: Any, about: str) -> Any:
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True)
class Config:
    """The settings of a run. Each is a flag of `fit`, `no_hflip_classes` as `--no-hflip-classes`.

    Each field's metadata has its description, `about`, which is the flag's help.

    Raises:
        TrainError: a value that is none of the field's; the message names the flag.

    Example:
        >>> Config(data="pets.pack", epochs=3).replace(lr=0.1).lr
        0.1
    """

    # What is learnt from.
    data: str = _setting("", "Pack, or label folder, which is packed first")
    fold: int | None = _setting(None, "Validate with this fold of --folds and train with the rest")
    folds: int | None = _setting(None, "Cross-validate: train one run for each of so many folds")
    val: float = _setting(0.2, "Without folds: share of the images to validate with")
    val_data: str | None = _setting(None, "Pack or label folder to validate with, of its own")
    split: str | None = _setting(None, "A split that `fastload split` has made, by name")
    group: str = _setting("near-duplicates", "What a new split keeps together, see docs/folds.md")
    out: str = _setting("runs", "Folder that the run's own folder is made in")
    name: str | None = _setting(None, "The run's name; left out, model, time and fold")
    seed: int = _setting(0, "Of weights, order, augmentation")

    # The model.
    model: str = _setting("resnet18", "Of torchvision, small_resnet, tiny, timm:NAME or clip:NAME")
    weights: str | None = _setting(None, "File with weights; a new head where classes differ")
    pretrained: bool = _setting(True, "Weights by the library's own download, where it can")
    image_size: int | None = _setting(None, "Side in pixels; left out, the model's own")
    shape: str = _setting("auto", "What makes images square: crop, squash, or as the model has it")
    equalize: bool = _setting(False, "Spread each image's levels: for faint things on dull ground")
    dropout: float = _setting(0.0, "In front of the head; 0 leaves the model's own")
    clip_mode: str = _setting("fine-tune", "How a CLIP model learns")
    prompts: str | None = _setting(None, "File with one sentence a class, for CLIP's zero-shot")

    # Steps.
    epochs: int = _setting(30, "Passes over the training images")
    batch_size: int = _setting(64, "Images a step, over all ranks and accumulated parts")
    accumulate: int = _setting(1, "Parts that a step's images are run through the model in")
    optimizer: str = _setting("adamw", "How weights move")
    lr: float | None = _setting(None, "Highest learning rate; left out, 0.001 adamw, 0.05 sgd")
    weight_decay: float | None = _setting(None, "Left out, 0.05 adamw, 0.0005 sgd")
    momentum: float = _setting(0.9, "Of sgd")
    schedule: str = _setting("cosine", "Learning rate over the steps")
    warmup: float = _setting(1.0, "Epochs of linear warm-up; one-cycle has its own")
    clip_norm: float = _setting(0.0, "Norm that gradients are cut to; 0 leaves them")
    label_smoothing: float = _setting(0.0, "Share of the target that all classes divide")
    ema: float = _setting(0.0, "Decay of the weights' moving average, such as 0.999; 0 for none")
    save_every: int = _setting(0, "Steps after which to save, besides each epoch; 0 for none")
    early_stop: int = _setting(0, "Epochs without a better metric after which to end; 0 never")
    deterministic: bool = _setting(
        False, "Ask torch for algorithms that repeat to the bit on a GPU"
    )

    # Where and how it is computed.
    device: str = _setting("auto", "cpu, cuda or auto")
    engine: str = _setting("auto", "Of the loader")
    workers: int | None = _setting(None, "Threads of the loader; left out, one a CPU")
    cache: str = _setting("auto", "Of the loader: a size such as 4GB, auto, or 0")
    decode: str = _setting("exact", "Of the loader")
    amp: str = _setting(
        "auto", "Half precision: bf16 where the GPU has it, else fp16; none on a CPU"
    )
    channels_last: bool = _setting(True, "Memory format of images and weights")
    compile: bool = _setting(False, "torch.compile the model")

    # Augmentation.
    crop_scale: float = _setting(0.35, "Smallest share of the area that a random crop has")
    hflip: bool = _setting(True, "Mirror half of the images left to right")
    vflip: bool = _setting(False, "Mirror half of the images top to bottom")
    rotate: float = _setting(0.0, "Rotate by up to so many degrees")
    no_hflip_classes: tuple[str, ...] = _setting(
        (), "Classes that are never mirrored left to right"
    )
    no_vflip_classes: tuple[str, ...] = _setting(
        (), "Classes that are never mirrored top to bottom"
    )
    no_rotate_classes: tuple[str, ...] = _setting(
        (), "Classes that are never rotated, and go without --augment, which rotates too"
    )
    augment: str = _setting("none", "Drawn operations")
    jitter: float = _setting(0.0, "Brightness, contrast and saturation vary by this share")
    erasing: float = _setting(0.0, "Probability of RandomErasing")
    mixup: float = _setting(0.0, "Alpha of MixUp; 0 for none")
    cutmix: float = _setting(0.0, "Alpha of CutMix; 0 for none")
    mix_off: int = _setting(0, "Last epochs without MixUp and CutMix")
    progressive: tuple[str, ...] = _setting((), "Sizes by first epoch, such as 0:128,20:192")

    # Imbalance.
    balance: str = _setting("none", "How often each class is drawn, see docs/imbalance.md")
    max_repeats: int | None = _setting(None, "Most times an image comes in a balanced epoch")
    loss: str = _setting("ce", "What is minimised")
    focal_gamma: float = _setting(2.0, "Of focal")
    cb_beta: float = _setting(0.999, "Of class-balanced")
    ldam_margin: float = _setting(0.5, "Largest margin of ldam")
    drw: float = _setting(0.8, "Share of the epochs after which ldam weighs classes; 1 never")
    loss_tau: float = _setting(1.0, "Of logit-adjusted")
    two_stage: str = _setting("none", "What becomes of the head when training is over")
    adjust: bool = _setting(True, "Search tau of post-hoc logit adjustment on validation")
    metric: str = _setting("macro_f1", "What the best epoch, tau and early stop are chosen by")

    def __post_init__(self) -> None:
        """Check each value against its type, its choices and its range."""
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                value, known = getattr(self, name), ", ".join(allowed)
                raise TrainError(f"{flag_of(name)} is {value!r}; it is one of {known}.")
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise TrainError(f"{flag_of(name)} is {value}; it lies from {least} to {most}.")
        if self.batch_size % self.accumulate:
            raise TrainError(
                f"--batch-size {self.batch_size} cannot be cut into --accumulate "
                f"{self.accumulate} equal parts."
            )

    def replace(self, **settings: Any) -> Config:
        """Return a copy with other settings."""
        return Config(**(asdict(self) | settings))

    def to_yaml(self) -> str:
        """Return all settings as YAML, which `load_yaml` reads."""
        plain = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }
        text: str = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False)
        return text


CHOICES: dict[str, tuple[str, ...]] = {
    "shape": ("auto", "crop", "squash"),
    "clip_mode": ("zero-shot", "linear-probe", "fine-tune"),
    "optimizer": ("adamw", "sgd"),
    "schedule": ("cosine", "one-cycle", "constant"),
    "engine": ("auto", "native", "dali", "ffcv", "torch"),
    "decode": ("exact", "fast"),
    "amp": ("auto", "off", "bf16", "fp16"),
    "augment": ("none", "randaugment", "trivialaugment", "autoaugment"),
    "loss": (
        "ce",
        "weighted-ce",
        "focal",
        "class-balanced",
        "ldam",
        "balanced-softmax",
        "logit-adjusted",
    ),
    "two_stage": ("none", "crt", "tau-norm"),
    "metric": ("macro_f1", "weighted_f1", "balanced_accuracy", "accuracy"),
}

_INFINITE = float("inf")
RANGES: dict[str, tuple[float, float]] = {
    "val": (0.0, 0.9),
    "folds": (2, 1000),
    "fold": (0, 999),
    "image_size": (8, 4096),
    "dropout": (0.0, 0.99),
    "epochs": (0, _INFINITE),
    "batch_size": (1, _INFINITE),
    "accumulate": (1, _INFINITE),
    "lr": (0.0, _INFINITE),
    "weight_decay": (0.0, _INFINITE),
    "warmup": (0.0, _INFINITE),
    "clip_norm": (0.0, _INFINITE),
    "label_smoothing": (0.0, 0.99),
    "ema": (0.0, 0.999999),
    "save_every": (0, _INFINITE),
    "early_stop": (0, _INFINITE),
    "workers": (0, 4096),
    "crop_scale": (0.01, 1.0),
    "rotate": (0.0, 180.0),
    "jitter": (0.0, 1.0),
    "erasing": (0.0, 1.0),
    "mixup": (0.0, _INFINITE),
    "cutmix": (0.0, _INFINITE),
    "mix_off": (0, _INFINITE),
    "focal_gamma": (0.0, _INFINITE),
    "cb_beta": (0.0, 0.999999999),
    "ldam_margin": (0.0, _INFINITE),
    "drw": (0.0, 1.0),
    "max_repeats": (1, _INFINITE),
}
"""Least and most of what is a number."""


def flag_of(name: str) -> str:
    """The flag of a field.

    >>> flag_of("batch_size")
    '--batch-size'
    """
    return "--" + name.replace("_", "-")


def load_yaml(path: Path) -> dict[str, Any]:
    """Read settings, by the names of the fields or of the flags.

    Raises:
        TrainError: no YAML mapping, a name that is no setting, or a value of another type.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainError(f"{path} cannot be read: {error}") from error
    return settings_of(text, str(path))


def settings_of(text: str, place: str) -> dict[str, Any]:
    """Read settings from YAML.

    Args:
        text: what :meth:`Config.to_yaml` or a user wrote.
        place: where it comes from, for messages.

    Raises:
        TrainError: no YAML mapping, a name that is no setting, or a value of another type.

    Example:
        >>> settings_of("batch-size: 32", "recipe.yaml")
        {'batch_size': 32}
    """
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TrainError(f"{place} cannot be read as YAML: {error}") from error
    if not isinstance(found, Mapping):
        raise TrainError(f"{place} has no settings; a line is 'epochs: 30'.")
    return {
        name: _typed(place, name, value)
        for name, value in ((str(key).replace("-", "_"), value) for key, value in found.items())
    }


def _typed(place: str, name: str, value: Any) -> Any:
    known = {one.name for one in fields(Config)}
    if name not in known:
        raise TrainError(f"{place}: there is no setting {name!r}.")
    kind = str(get_type_hints(Config)[name])
    if "tuple" in kind and isinstance(value, (list, tuple)):
        return tuple(map(str, value))
    right = (
        (value is None and "None" in kind)
        or (isinstance(value, bool) and "bool" in kind)
        or (isinstance(value, str) and "str" in kind and "tuple" not in kind)
        or (
            isinstance(value, int)
            and not isinstance(value, bool)
            and ("int" in kind or "float" in kind)
        )
        or (isinstance(value, float) and "float" in kind)
    )
    if not right:
        raise TrainError(f"{place}: {name} cannot be {value!r}.")
    return value
