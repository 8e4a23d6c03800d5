"""What epochs do to each class in the mean, and what of that harms the training."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch.utils.data import DataLoader, WeightedRandomSampler

from fastload.classes import class_names, classes_of
from fastload.sample import BalancedSampler, ClassLists

__all__ = ["Expected", "Numbers", "expected_draws", "expected_of_times", "warn_of_repeats"]

# An image that comes this often in an epoch is learnt by heart.
_MANY = 10
# Part of a class that an epoch may leave out without a word.
_PART = 0.5
# Of a quotient that ought to be a whole number.
_FUZZ = 1e-6

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Expected:
    """What an epoch does in the mean.

    Attributes:
        names: of the classes.
        images: int64, shape (classes,).
        repeats: shape (classes,): draws of an epoch for each image.
        unseen: shape (classes,): part of the class's images that an epoch leaves out.
        independent: each draw is made without regard to the others, so that some images stay out
            for many epochs; otherwise classes go on where the epoch before stopped.
    """

    names: list[str]
    images: npt.NDArray[np.int64]
    repeats: Numbers
    unseen: Numbers
    independent: bool

    def warnings(self) -> list[str]:
        """What is likely to harm the training, and what to do instead."""
        return [*self._of_repeats(), *self._of_unseen()]

    def _of_repeats(self) -> Iterator[str]:
        often = np.flatnonzero((self.repeats > _MANY) & (self.images > 0))
        if not len(often):
            return
        most = int(often[np.argmax(self.repeats[often])])
        yield (
            f"Images of {_classes(len(often))} come more than {_MANY} times an epoch, "
            f"{_each(self.images[most])} of {self.names[most]!r} {self.repeats[most]:.1f} times. A "
            "model learns such images by heart: draw them less often (a milder balance such as "
            f"'sqrt', or max_repeats={_MANY}), or augment them more strongly."
        )

    def _of_unseen(self) -> Iterator[str]:
        left_out = np.flatnonzero((self.unseen > _PART) & (self.images > 0))
        if not len(left_out):
            return
        most = int(left_out[np.argmax(self.unseen[left_out])])
        percent = f"{100 * self.unseen[most]:.0f} %"
        yield (
            f"An epoch leaves out more than half of {_classes(len(left_out))}, {percent} of the "
            f"{self.images[most]} images of {self.names[most]!r}. {self._remedy(most)}"
        )

    def _remedy(self, label: int) -> str:
        repeats = float(self.repeats[label])
        if repeats == 0:
            return (
                "They are never drawn: give the class a weight above 0, or leave it out for good."
            )
        if self.independent:
            after = 100 * np.exp(-10 * repeats)
            return (
                f"Draws are independent of one another: {after:.0f} % are still unseen after ten "
                "epochs. Use fastload.DataLoader(balance=...) or fastload.BalancedSampler, which "
                "show every image before any again."
            )
        epochs = int(np.ceil(1 / repeats - _FUZZ))
        return (
            f"They come within {epochs} epochs, each before any again; for more "
            "of them in each take a longer epoch_length or a milder balance ('sqrt', or "
            "'repeat_factor', which leaves none out)."
        )


def expected_draws(loader: DataLoader[Any], epoch: int | None = None) -> Expected | None:
    """What a loader's epochs do in the mean; None where its sampler has to be tried for that.

    Args:
        loader: any.
        epoch: the one whose balance is meant; None for the next one.
    """
    sampler = loader.sampler
    if isinstance(sampler, BalancedSampler):
        draws = sampler.means(sampler.epochs.next if epoch is None else epoch)
        repeats = draws / np.maximum(sampler.counts, 1)
        unseen = np.maximum(0.0, 1 - repeats)
        return Expected(sampler.classes, sampler.counts, repeats, unseen, independent=False)
    if not isinstance(sampler, WeightedRandomSampler):
        return None
    lists = classes_of(loader.dataset)
    # There may be weights for a part of the samples only.
    chances = np.zeros(int(lists.starts[-1]))
    weights = sampler.weights.numpy().astype(np.float64)[: len(chances)]
    chances[: len(weights)] = weights / sampler.weights.sum().item()
    if sampler.replacement:
        with np.errstate(divide="ignore"):
            missed = np.exp(sampler.num_samples * np.log1p(-np.minimum(chances, 1.0)))
        repeats, unseen = (_means(lists, of) for of in (sampler.num_samples * chances, missed))
        return Expected(_names(lists, loader.dataset), lists.counts, repeats, unseen, True)
    return None


def expected_of_times(lists: ClassLists, dataset: Any, times: npt.NDArray[np.int64]) -> Expected:
    """As one epoch was, where nothing else is known of its sampler.

    Args:
        lists: the samples of each class.
        dataset: that the classes' names are asked of.
        times: how often each sample came.
    """
    repeats, unseen = _means(lists, times), _means(lists, times == 0)
    return Expected(_names(lists, dataset), lists.counts, repeats, unseen, independent=False)


def warn_of_repeats(loader: DataLoader[Any]) -> None:
    """Warn of a loader whose epochs repeat images too often, or leave too many out."""
    try:
        expected = expected_draws(loader)
    except ValueError:
        return  # a dataset without classes
    for text in [] if expected is None else expected.warnings():
        warnings.warn(f"{text} describe_epoch(loader) shows each class.", UserWarning, stacklevel=3)


def _names(lists: ClassLists, dataset: Any) -> list[str]:
    names = class_names(dataset)
    if names is not None and len(names) >= len(lists.counts):
        return names[: len(lists.counts)]
    return [str(label) for label in range(len(lists.counts))]


def _means(lists: ClassLists, values: npt.NDArray[Any]) -> Numbers:
    """The mean of each class's samples; 0 for a class without any."""
    labels = np.repeat(np.arange(len(lists.counts)), lists.counts)
    ordered = values if lists.members is None else values[lists.members]
    sums = np.bincount(labels, ordered, minlength=len(lists.counts))
    means: Numbers = sums / np.maximum(lists.counts, 1)
    return means


def _classes(count: int) -> str:
    return "1 class" if count == 1 else f"{count} classes"


def _each(images: int) -> str:
    return "the only one" if images == 1 else f"each of the {images}"
