"""A model's answers on images, each image once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from train_ref.distributed import gather_rows
from train_ref.models.classifier import Classifier, InputConfig
from train_ref.transforms import normaliser

__all__ = ["Answers", "FeatureAnswers", "ImageAnswers", "predict_features", "predict_logits"]

Autocast = Callable[[], contextlib.AbstractContextManager[Any]]


def predict_logits(
    model: nn.Module,
    loader: Iterable[tuple[torch.Tensor, torch.Tensor]],
    wanted: InputConfig,
    device: torch.device,
    *,
    autocast: Autocast = contextlib.nullcontext,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Ask a model about all images of a loader.

    Several processes each ask about their share, and all of them have all answers then.

    Args:
        model: on the device; it is in training mode behind this if it was before.
        loader: as :func:`train_ref.data.evaluation_loader` makes it.
        wanted: the model's images.
        device: where it computes.
        autocast: what the model is run in, such as ``Precision.autocast``.

    Returns:
        logits: float32, shape (images, classes), in the loader's order.
        labels: int64, shape (images,).
    """
    return _answers(model, model, loader, wanted, device, autocast)


def predict_features(
    model: Classifier,
    loader: Iterable[tuple[torch.Tensor, torch.Tensor]],
    wanted: InputConfig,
    device: torch.device,
    *,
    autocast: Autocast = contextlib.nullcontext,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Compute what a model's head is given for all images of a loader.

    Args:
        model: as for :func:`predict_logits`.
        loader: likewise.
        wanted: likewise.
        device: likewise.
        autocast: likewise.

    Returns:
        features: float32, shape (images, width), in the loader's order.
        labels: int64, shape (images,).
    """
    return _answers(model, model.features, loader, wanted, device, autocast)


def _answers(
    model: nn.Module,
    ask: Callable[[torch.Tensor], torch.Tensor],
    loader: Iterable[tuple[torch.Tensor, torch.Tensor]],
    wanted: InputConfig,
    device: torch.device,
    autocast: Autocast,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    normalise = normaliser(wanted, device)
    answers, labels = [torch.zeros(0, 0)], [torch.zeros(0, dtype=torch.int64)]
    with _evaluating(model), torch.inference_mode():
        for images, targets in loader:
            with autocast():
                answer = ask(normalise(images.to(device, non_blocking=True)))
            # They stay where they were computed: the next batch does not wait for this one.
            answers.append(answer.float())
            labels.append(targets)
        asked = [one.cpu() for one in answers[1:] or answers]
    rows, known = (
        gather_rows(torch.cat(asked)),
        gather_rows(torch.cat([one.cpu() for one in labels])),
    )
    return rows.numpy(), known.numpy()


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    before = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(before)


class Answers(Protocol):
    """What is asked of a model, as it is at that moment, about some images."""

    def logits(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return logits, shape (images, classes), and labels."""

    def features(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return what the head is given, shape (images, width), and labels."""


@dataclass(frozen=True)
class ImageAnswers:
    """Answers that are computed from the images, each time anew.

    Attributes:
        model: on the device.
        loader: as :func:`train_ref.data.evaluation_loader` makes it.
        input: the model's images.
        device: where it computes.
        autocast: what the model is run in.
    """

    model: Classifier
    loader: Iterable[tuple[torch.Tensor, torch.Tensor]]
    input: InputConfig
    device: torch.device
    autocast: Autocast = contextlib.nullcontext

    def logits(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """See :class:`Answers`."""
        return predict_logits(
            self.model, self.loader, self.input, self.device, autocast=self.autocast
        )

    def features(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """See :class:`Answers`."""
        return predict_features(
            self.model, self.loader, self.input, self.device, autocast=self.autocast
        )


class FeatureAnswers:
    """Answers that are computed from features of a body that does not learn.

    Args:
        model: its head is asked.
        images: whose features are computed, here and now, once.
    """

    def __init__(self, model: Classifier, images: ImageAnswers) -> None:
        self._head = model.head
        self._features, self._labels = images.features()
        self._device = images.device

    def logits(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """See :class:`Answers`."""
        with torch.inference_mode():
            logits = self._head(torch.from_numpy(self._features).to(self._device))
        return logits.float().cpu().numpy(), self._labels

    def features(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """See :class:`Answers`."""
        return self._features, self._labels
