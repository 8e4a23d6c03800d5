"""What an epoch does to each class: how often its images come, and how many never do."""

from __future__ import annotations

import unicodedata
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch.utils.data import DataLoader

from fastload.classes import classes_of
from fastload.expected_draws import Expected, Numbers, expected_draws, expected_of_times
from fastload.sample import BalancedSampler, ClassLists, Order, OrderSampler
from fastload.sample.epochs import LAST_EPOCH
from fastload.trial import tried_order
from fastload.view import checked_indices

__all__ = ["EpochReport", "describe_epoch"]

# Classes shown at each end of a long table.
_SHOWN = 15


@dataclass(frozen=True)
class EpochReport:
    """One epoch, class by class: ``print`` it.

    Attributes:
        epoch: its number; None for a sampler that does not count them.
        expected: what such an epoch does in the mean.
        draws: int64, shape (classes,): samples of each class in this one.
        fewest, most: int64, shape (classes,): how often the image of the class comes that comes
            least, and most often.
        unseen: shape (classes,): part of the class's images that this epoch leaves out.
        note: how the epoch is drawn.
    """

    epoch: int | None
    expected: Expected
    draws: npt.NDArray[np.int64]
    fewest: npt.NDArray[np.int64]
    most: npt.NDArray[np.int64]
    unseen: Numbers
    note: str

    @property
    def classes(self) -> list[str]:
        """The names of the classes."""
        return self.expected.names

    @property
    def images(self) -> npt.NDArray[np.int64]:
        """Images of each class: int64, shape (classes,)."""
        return self.expected.images

    def warnings(self) -> list[str]:
        """What is likely to harm the training, and what to do instead."""
        return self.expected.warnings()

    def __str__(self) -> str:
        when = "" if self.epoch is None else f"epoch {self.epoch}: "
        head = f"{when}{self.draws.sum()} draws of {self.images.sum()} images, {self.note}"
        shown = self._rows()
        width = max(_width(name) for name, _ in shown)
        lines = [f"{name}{' ' * (width - _width(name))} {rest}" for name, rest in shown]
        return "\n".join([head, *lines, *(f"! {text}" for text in self.warnings())])

    def _rows(self) -> list[tuple[str, str]]:
        header = ("class", "  images   draws  mean an image   drawn  never seen")
        order = np.argsort(-self.images, kind="stable").tolist()
        rows = [self._row(label) for label in order]
        if len(rows) > 2 * _SHOWN:
            left_out = (f"... {len(rows) - 2 * _SHOWN} classes", "")
            rows = [*rows[:_SHOWN], left_out, *rows[-_SHOWN:]]
        return [header, *rows]

    def _row(self, label: int) -> tuple[str, str]:
        fewest, most = int(self.fewest[label]), int(self.most[label])
        times = str(most) if fewest == most else f"{fewest}-{most}"
        mean, unseen = f"{self.expected.repeats[label]:.2f}", f"{100 * self.unseen[label]:.0f} %"
        numbers = f"{self.images[label]:>8}{self.draws[label]:>8}{mean:>16}{times:>8}{unseen:>12}"
        return _one_line(self.classes[label]), numbers


def describe_epoch(loader: DataLoader[Any], epoch: int | None = None) -> EpochReport:
    """What an epoch of a loader does to each class, before it is run.

    Nothing is loaded, and no random generator is left in another state.

    Args:
        loader: this library's, or torch's over any dataset that has ``targets``.
        epoch: which one; None for the next one. Only samplers of this library can tell of others.

    Warns:
        UserWarning: an image comes more than 10 times, or over half of a class never does; of this
            library's loaders, which have warned before, only the report says so.

    Raises:
        TypeError: ``loader`` is none.
        ValueError: nobody knows the classes of the dataset's samples, the sampler cannot be tried
            without using it up, or there is no such epoch.
    """
    if not isinstance(loader, DataLoader):
        raise TypeError(
            f"describe_epoch takes a DataLoader, not {type(loader).__name__}: what an epoch does "
            "depends on the loader's sampler."
        )
    if epoch is not None and not 0 <= epoch <= LAST_EPOCH:
        raise ValueError(f"Epoch {epoch}: epochs count from 0 to 2**32 - 1.")
    lists = classes_of(loader.dataset)
    sampler, samples = loader.sampler, int(lists.starts[-1])
    if isinstance(sampler, OrderSampler):
        epoch = sampler.epochs.next if epoch is None else epoch
        order = sampler.order(epoch)
    else:
        epoch, order = None, tried_order(loader)
    expected = expected_draws(loader, epoch)
    times = np.bincount(checked_indices(order, samples), minlength=samples)
    if expected is None:
        expected = expected_of_times(lists, loader.dataset, times)
    columns = _by_class(lists, times, len(expected.names))
    report = EpochReport(epoch, expected, *columns, note=_note(sampler))
    # Loaders of this library have warned when they were made.
    for text in [] if hasattr(loader, "balance_report") else report.warnings():
        warnings.warn(text, UserWarning, stacklevel=2)
    return report


def _by_class(
    lists: ClassLists, times: npt.NDArray[np.int64], classes: int
) -> tuple[Order, Order, Order, Numbers]:
    """Draws, fewest and most of an image, and the unseen part, of each class."""
    ordered = times if lists.members is None else times[lists.members]
    draws, fewest, most = (np.zeros(classes, np.int64) for _ in range(3))
    unseen = np.zeros(classes)
    starts = lists.starts.astype(np.int64)
    for label, count in enumerate(lists.counts.tolist()):
        of_class = ordered[starts[label] : starts[label + 1]]
        if count:
            draws[label], fewest[label], most[label] = (
                of_class.sum(),
                of_class.min(),
                of_class.max(),
            )
            unseen[label] = np.count_nonzero(of_class == 0) / count
    return draws, fewest, most, unseen


def _note(sampler: Any) -> str:
    if not isinstance(sampler, BalancedSampler):
        return type(sampler).__name__
    note = repr(sampler.balance)
    if sampler.max_repeats is not None:
        note += (
            f", no image more than {sampler.max_repeats} times (what that takes from a class is "
            "spread over the others)"
        )
    if sampler.per_batch is not None:
        note += ", {} classes of {} images in each batch".format(*sampler.per_batch)
    return note


def _one_line(name: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in name)


def _width(text: str) -> int:
    """Columns of a terminal: signs of East Asian scripts take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
