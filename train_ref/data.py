"""Packs, their training and validation parts, and the loaders over them."""

from __future__ import annotations

import copy
import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import ConcatDataset, Dataset, Subset

import fastload
from fastload.augment import BatchMix, CutMix, MixUp, RandomMix
from train_ref import transforms
from train_ref.config import Config, flag_of
from train_ref.distributed import Place, device_of, first_before_others, ranks
from train_ref.errors import TrainError
from train_ref.models.classifier import InputConfig
from train_ref.progress import packing, say
from train_ref.transforms import Exceptions

__all__ = [
    "Parts",
    "balance_of",
    "check_balance",
    "evaluation_loader",
    "open_data",
    "open_parts",
    "paths_of",
    "share_of_batch",
    "training_dataset",
    "training_loader",
    "training_mix",
]

# Splits are the same for all seeds of a training: their scores can be compared.
_SPLIT_SEED = 0
# Kept together by what names a split as `fastload split` does.
_PLAIN_GROUP = "near-duplicates"
# Classes that a message names.
_NAMES_SHOWN = 5


@dataclass(frozen=True)
class Parts:
    """What is trained with and what is validated with; neither has a transform.

    Attributes:
        train: the training part.
        val: the validation part, of the same classes; None where nothing is validated.
        split: name of the split, or what it is where it could not be saved; None for val_data.
        fold: of the split.
    """

    train: fastload.ImageFolder
    val: fastload.ImageFolder | None
    split: str | None = None
    fold: int | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, by label."""
        return tuple(self.train.classes)

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Training images of each class: shape (classes,)."""
        return self.train.class_counts


def open_data(
    config: Config, path: str | Path, transform: Callable[[Any], Any] | None = None
) -> fastload.ImageFolder:
    """Open a pack; a label folder is packed first, next to it, and that is said.

    Args:
        config: how many threads pack.
        path: the pack or the label folder.
        transform: of its images.

    Raises:
        TrainError: it is neither, or cannot be packed or read.
    """
    root = Path(path).expanduser()
    if not str(path):
        raise TrainError("There is nothing to learn from: name a pack or a label folder by --data.")
    if not root.is_dir():
        what = "a file, not a folder" if root.exists() else "not there"
        raise TrainError(
            f"{root} is {what}: --data and --val-data take a pack (`fastload pack` makes one) or a "
            "label folder, with one folder of images a class."
        )
    try:
        if not (root / "pack.json").is_file():
            root = _packed(root, config.workers or None)
        return fastload.ImageFolder(root, transform)
    except (fastload.FastloadError, OSError, ValueError) as error:
        raise TrainError(str(error)) from error


def _packed(folder: Path, workers: int | None) -> Path:
    with first_before_others(), packing(folder) as report:
        done = fastload.pack(folder, workers=workers, progress=report)
    if done.already_packed:
        say(f"{folder} is a label folder; it is packed already: {done.path} is read.")
    for path, reason in done.rejected[:_NAMES_SHOWN]:
        say(f"left out {path}: {reason}")
    if len(done.rejected) > _NAMES_SHOWN:
        say(f"left out {len(done.rejected)} files in all, named in {done.path}/rejected.csv")
    return done.path


def open_parts(config: Config) -> Parts:
    """Open what a run learns from and what it validates with.

    A split that is there already is taken as it is; a missing one is made and saved in the pack.

    Raises:
        TrainError: the settings contradict one another, or the data cannot be read or divided.
    """
    _check_split_settings(config)
    whole = open_data(config, config.data)
    if not whole.classes:
        raise TrainError(
            f"{whole.root} was packed without classes (--unlabelled): there is nothing to learn."
        )
    if config.val_data is not None:
        val = open_data(config, config.val_data)
        _check_same_classes(whole, val)
        return Parts(whole, val)
    if config.split is None and config.folds is None and not config.val:
        return Parts(whole, None)
    try:
        with first_before_others():
            return _divided(whole, config)
    except (fastload.FastloadError, ValueError, OSError) as error:
        raise TrainError(str(error)) from error


def _check_split_settings(config: Config) -> None:
    if config.val_data is not None:
        for name in ("split", "folds", "fold"):
            if getattr(config, name) is not None:
                raise TrainError(
                    f"--val-data is validated with, and {flag_of(name)} divides --data for that: "
                    "leave out one of them."
                )
    if config.split is not None and config.folds is not None:
        raise TrainError("--split names a split, --folds makes one: leave out one of them.")
    if config.fold is not None and config.split is None:
        if config.folds is None:
            raise TrainError("--fold is of a split: say --folds NUMBER, or --split NAME.")
        if config.fold >= config.folds:
            raise TrainError(
                f"--fold is {config.fold}; --folds {config.folds} has 0 to {config.folds - 1}."
            )


def _check_same_classes(train: fastload.ImageFolder, val: fastload.ImageFolder) -> None:
    if val.classes == train.classes:
        return
    words = []
    for place, has, lacks in (("--data", train, val), ("--val-data", val, train)):
        names = sorted(set(has.classes) - set(lacks.classes))
        if names:
            words.append(f"only {place} has {_some(names)}")
    raise TrainError(
        f"The classes of {val.root} are not those of {train.root}: {'; '.join(words)}. Pack both "
        "with the same folders (`fastload pack --allow-empty` keeps classes without images)."
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMES_SHOWN]) + (" ..." if len(names) > _NAMES_SHOWN else "")


def _divided(whole: fastload.ImageFolder, config: Config) -> Parts:
    split, shown = _split_of(whole, config)
    train, val = (
        fastload.ImageFolder(whole.root, split=split, fold=config.fold, part=part)
        for part in ("train", "val")
    )
    return Parts(train, val, shown, config.fold)


def _split_of(whole: fastload.ImageFolder, config: Config) -> tuple[str | fastload.Split, str]:
    """The split, and what it is called."""
    if config.split is not None:
        return config.split, config.split
    name = _split_name(config)
    if (Path(whole.root) / "splits" / f"{name}.arrow").is_file():
        return name, name
    if config.folds is not None:
        made = fastload.folds(whole.root, config.folds, group=config.group, seed=_SPLIT_SEED)
    else:
        made = fastload.holdout(whole.root, config.val, group=config.group, seed=_SPLIT_SEED)
    try:
        say(f"Validation images are kept apart: {made.words}, in {made.save(name)}")
    except fastload.PackError as error:
        say(str(error))
        return made, made.words
    return name, name


def _split_name(config: Config) -> str:
    """As `fastload split` names it; with what is kept together where that is another rule.

    >>> _split_name(Config(folds=5)), _split_name(Config(val=0.2, group="none"))
    ('folds5', 'holdout20-none')
    """
    name = f"holdout{100 * config.val:g}" if config.folds is None else f"folds{config.folds}"
    if config.group == _PLAIN_GROUP:
        return name
    if re.fullmatch(r"[A-Za-z0-9-]+", config.group):
        return f"{name}-{config.group}"
    return f"{name}-{hashlib.sha256(config.group.encode()).hexdigest()[:8]}"


def paths_of(dataset: fastload.ImageFolder) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return record ids, shape (n,), and paths below the label folder, in the dataset's order."""
    records = dataset.records(np.arange(len(dataset), dtype=np.int64))
    return records, tuple(dataset.pack.index.paths(records))


def training_dataset(
    config: Config, train: fastload.ImageFolder, wanted: InputConfig
) -> Dataset[tuple[Any, Any]]:
    """Give training images their augmentations, classes with exceptions others.

    Args:
        config: augmentations, and the classes that go without some.
        train: the training part.
        wanted: the model's images.

    Returns:
        The part, or, with exceptions, parts of it one behind the other, each with its own
        transform. The loader runs both alike.

    Raises:
        TrainError: an exception's class is none.
    """
    members: dict[Exceptions, list[int]] = {}
    for label, without in enumerate(_exceptions(config, train.classes)):
        members.setdefault(without, []).append(label)
    if len(members) == 1:
        return _transformed(train, transforms.training(config, wanted, next(iter(members))))
    targets = np.asarray(train.targets)
    parts: list[Dataset[tuple[Any, Any]]] = [
        Subset(
            _transformed(train, transforms.training(config, wanted, without)),
            np.flatnonzero(np.isin(targets, labels)).tolist(),
        )
        for without, labels in sorted(members.items())
    ]
    return ConcatDataset([part for part in parts if len(part)])  # type: ignore[arg-type]


def _exceptions(config: Config, classes: list[str]) -> list[Exceptions]:
    """What the images of each class go without."""
    names = {unicodedata.normalize("NFC", name): name for name in classes}
    named: dict[str, set[str]] = {}
    for kind in ("hflip", "vflip", "rotate"):
        setting = f"no_{kind}_classes"
        wanted = [unicodedata.normalize("NFC", one) for one in getattr(config, setting)]
        for one in wanted:
            if one not in names:
                near = get_close_matches(one, names, 1)
                meant = f"Do you mean {near[0]!r}?" if near else f"There are {_some(classes)}."
                raise TrainError(f"{flag_of(setting)} names {one!r}, which is no class. {meant}")
        named[kind] = {names[one] for one in wanted}
    return [Exceptions(*(name in named[kind] for kind in named)) for name in classes]


def _transformed(
    dataset: fastload.ImageFolder, transform: Callable[[Any], Any]
) -> fastload.ImageFolder:
    """The same images with another transform; the given dataset keeps its own."""
    other = copy.copy(dataset)
    other.transform = transform
    return other


def check_balance(config: Config) -> None:
    """Refuse a way to balance that the loader does not know, before anything is read.

    Raises:
        TrainError: there is none of this name.
    """
    try:
        fastload.BalancedSampler(np.zeros(1, np.int64), balance=balance_of(config))
    except ValueError as error:
        raise TrainError(f"--balance: {error}") from error


def balance_of(config: Config) -> str:
    """Return the loader's `balance`; progressive ends with the training, if nothing else is said.

    Example:
        >>> balance_of(Config(balance="progressive", epochs=12))
        'progressive:12'
    """
    if config.balance == "progressive":
        return f"progressive:{max(1, config.epochs)}"
    return config.balance


def share_of_batch(config: Config, ranks: int) -> int:
    """Return how many images of a step each process has.

    Raises:
        TrainError: the batch cannot be cut so.

    Example:
        >>> share_of_batch(Config(batch_size=64, accumulate=2), ranks=4)
        16
    """
    parts, rest = divmod(config.batch_size, ranks * config.accumulate)
    if rest or not parts:
        raise TrainError(
            f"--batch-size {config.batch_size} cannot be cut into equal parts for {ranks} "
            f"processes and --accumulate {config.accumulate}."
        )
    return parts * config.accumulate


def training_mix(config: Config, classes: int) -> BatchMix | None:
    """Return MixUp, CutMix, or one of both for each batch, as the settings say."""
    mixes: list[BatchMix] = []
    if config.mixup:
        mixes.append(MixUp(classes, alpha=config.mixup))
    if config.cutmix:
        mixes.append(CutMix(classes, alpha=config.cutmix))
    if len(mixes) == 2:
        return RandomMix(mixes)
    return mixes[0] if mixes else None


def training_loader(
    dataset: Dataset[tuple[Any, Any]], config: Config, place: Place
) -> fastload.DataLoader:
    """Make the loader of training batches.

    Args:
        dataset: as :func:`training_dataset` makes it.
        config: batch size over all processes, balance and how images are loaded.
        place: this process, whose share of the batches it serves.

    Returns:
        Batches of uint8 (n, 3, size, size) and int64 (n,), on the place's device. A rest that
        makes no whole batch is left out of an epoch, where there is any whole one.

    Raises:
        TrainError: the batch cannot be cut into shares, or the loader refuses a setting.
    """
    return _loader(
        dataset,
        config,
        place.device,
        batch_size=share_of_batch(config, place.ranks),
        shuffle=True,
        balance=balance_of(config),
        max_repeats=config.max_repeats,
        drop_last=len(dataset) >= config.batch_size,  # type: ignore[arg-type]
    )


def evaluation_loader(
    dataset: fastload.ImageFolder, config: Config, wanted: InputConfig, *, size: int | None = None
) -> fastload.DataLoader:
    """Make a loader of each image once, in the dataset's order, its centre.

    Args:
        dataset: any part of a pack; it keeps its own transform.
        config: batch size, and how images are loaded.
        wanted: the model's images.
        size: in place of the model's own.

    Returns:
        Batches of uint8 (n, 3, size, size) and int64 (n,), on the setting's device. Each of
        several processes is served its share, some one image less.

    Raises:
        TrainError: the loader refuses a setting.
    """
    return _loader(
        _transformed(dataset, transforms.evaluation(wanted, size)),
        config,
        device_of(config.device),
        batch_size=max(1, config.batch_size // (ranks() * config.accumulate)),
        uneven="exact",
    )


def _loader(
    dataset: Dataset[tuple[Any, Any]], config: Config, device: torch.device, **arguments: Any
) -> fastload.DataLoader:
    on_gpu = device.type == "cuda"
    try:
        return fastload.DataLoader(
            dataset,
            num_workers=config.workers,
            seed=config.seed,
            engine=config.engine,
            decode=config.decode,
            cache=config.cache,
            pin_memory=on_gpu,
            device=f"cuda:{torch.cuda.current_device()}" if on_gpu else None,
            memory_format=(
                torch.channels_last if config.channels_last else torch.contiguous_format
            ),
            **arguments,
        )
    except (fastload.FastloadError, ValueError) as error:
        raise TrainError(f"The loader cannot be made: {error}") from error
