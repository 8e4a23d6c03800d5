"""Several models and several views of an image, one answer: the mean of their probabilities.

The mean is taken of probabilities, not of logits, whose scale is each model's own: the linear
opinion pool (Stone, The Opinion Pool, Annals of Mathematical Statistics, 1961).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

import fastload
from train_ref.adjustment import adjusted
from train_ref.checkpoint import Loaded, load_model
from train_ref.config import Config
from train_ref.data import evaluation_loader
from train_ref.distributed import gather_rows
from train_ref.errors import TrainError
from train_ref.models.classifier import Classifier, InputConfig
from train_ref.precision import Precision
from train_ref.progress import bar
from train_ref.transforms import normaliser
from train_ref.tta import Views, make_views

__all__ = ["Member", "load_members", "mean_shares", "predict_shares"]

Batches = Iterable[tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Member:
    """A model that answers with others.

    Attributes:
        loaded: the model, its classes, the images that it wants, its own tau.
        columns: int64, shape (classes,): its logit of each of the ensemble's classes.
        device: where it is.
    """

    loaded: Loaded
    columns: torch.Tensor
    device: torch.device

    def answers(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """Return what makes probabilities of a batch: uint8 (n, 3, h, w) -> float32 (n, classes).

        Logits are adjusted by the model's own tau before they are probabilities.
        """
        model: Classifier = self.loaded.model
        none = np.zeros((1, len(self.columns)))
        moved = adjusted(none, self.loaded.counts, self.loaded.tau)
        shift = torch.from_numpy(moved).to(self.device, torch.float32)
        normalise = normaliser(self.loaded.input, self.device)
        autocast = Precision(self.loaded.config, self.device).autocast

        def answer(images: torch.Tensor) -> torch.Tensor:
            with autocast():
                logits = model(normalise(images))
            shares: torch.Tensor = (logits.float() + shift).softmax(dim=1)
            return shares[:, self.columns]

        return answer


def load_members(paths: Sequence[Path], device: torch.device) -> tuple[Member, ...]:
    """Load checkpoints that answer together.

    Args:
        paths: of the checkpoints; the first one's order of the classes is the ensemble's.
        device: where all of them are put.

    Raises:
        TrainError: one cannot be read, or is of other classes than the first.
    """
    loaded = {path: load_model(path, device) for path in paths}
    columns = agreed_columns({str(path): one.classes for path, one in loaded.items()})
    return tuple(
        Member(one, torch.tensor(order, device=device), device)
        for one, order in zip(loaded.values(), columns, strict=True)
    )


def agreed_columns(classes: Mapping[str, Sequence[str]]) -> list[list[int]]:
    """Find the first checkpoint's classes, in its order, among those of each.

    Args:
        classes: names of each checkpoint's classes, by the checkpoint's name; compared in NFC.

    Raises:
        TrainError: one has other classes than the first.

    Example:
        >>> agreed_columns({"a.pt": ["ant", "bee"], "b.pt": ["bee", "ant"]})
        [[0, 1], [1, 0]]
    """
    places = {
        path: {unicodedata.normalize("NFC", name): place for place, name in enumerate(names)}
        for path, names in classes.items()
    }
    first, *_ = places
    for path, names in places.items():
        other = sorted(names.keys() ^ places[first].keys())
        if other:
            raise TrainError(
                f"{path} is of other classes than {first}: {', '.join(map(repr, other[:3]))} "
                f"{'is' if len(other) == 1 else 'are'} not in both. Checkpoints that answer "
                "together are of the same classes, by name."
            )
    return [[names[name] for name in places[first]] for names in places.values()]


def predict_shares(
    members: Sequence[Member],
    dataset: fastload.ImageFolder,
    config: Config,
    tta: Sequence[str] = (),
) -> npt.NDArray[np.float32]:
    """Ask all models about all images.

    Models that want the same images share what is decoded: five folds' models and ten views
    take one pass over the data.

    Args:
        members: of one ensemble, on one device.
        dataset: the images; it keeps its own transform.
        config: batch size, and how images are loaded.
        tta: names of views, see :mod:`train_ref.tta`.

    Returns:
        Mean probabilities, float32, shape (images, classes), in the dataset's order.
    """
    groups: dict[InputConfig, list[Member]] = {}
    for member in members:
        groups.setdefault(_as_decoded(member.loaded.input), []).append(member)
    total = np.zeros((len(dataset), len(members[0].columns)), np.float64)
    for wanted, group in groups.items():
        views = make_views(tta, wanted)
        loader = evaluation_loader(dataset, config, views.canvas)
        with bar("predicting", len(loader)) as shown:
            total += len(group) * mean_shares(group, loader, views, shown.update)
    return (total / len(members)).astype(np.float32)


def _as_decoded(wanted: InputConfig) -> InputConfig:
    """What of a model's wishes the loader fulfils; mean and std come later."""
    return replace(wanted, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


@torch.inference_mode()
def mean_shares(
    members: Sequence[Member],
    loader: Batches,
    views: Views,
    progress: Callable[[int, str], None] = lambda done, words: None,
) -> npt.NDArray[np.float32]:
    """Ask models about all views of a loader's images, each image decoded once.

    Several processes each ask about their share, and all of them have all answers then.

    Args:
        members: models that want the same images, but for mean and std.
        loader: canvases, as `views.canvas` says: uint8, shape (n, 3, canvas, canvas).
        views: what is looked at.
        progress: called with the batches so far, and some words.

    Returns:
        Mean probabilities, float32, shape (images, classes).
    """
    device, classes = members[0].device, len(members[0].columns)
    answers = [member.answers() for member in members]
    rows = [np.zeros((0, classes), np.float32)]
    images = 0
    for done, (canvases, _) in enumerate(loader, start=1):
        total = torch.zeros(len(canvases), classes, device=device)
        for view in views(canvases.to(device, non_blocking=True)):
            for answer in answers:
                total += answer(view)
        rows.append((total / (len(views) * len(answers))).cpu().numpy())
        images += len(canvases)
        progress(done, f"{images:,} images")
    return gather_rows(torch.from_numpy(np.concatenate(rows))).numpy()
