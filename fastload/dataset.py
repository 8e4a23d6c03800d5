"""``ImageFolder`` over a pack."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset, get_worker_info

from fastload.augment import Draws, Pipeline, lower
from fastload.batcher import Batcher
from fastload.cpus import usable_cpus
from fastload.errors import RecordError
from fastload.native.library import NativeError
from fastload.store import Pack, Split, open_pack, open_split, split_names
from fastload.store.decoding import decode_record

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

__all__ = ["ImageFolder"]

Transform = Callable[[Any], Any]


class ImageFolder(Dataset[tuple[Any, Any]]):
    """The images of a pack, as torchvision's ``ImageFolder`` gives those of the label folder.

    Opening costs the same for a thousand images as for millions; ``samples`` and ``targets`` look
    like lists and are made as they are read. Picklable, and safe to use in forked workers.

    Args:
        root: the pack's folder, written by ``fastload pack``.
        transform: takes a PIL image (RGB), returns the sample.
        target_transform: takes the label, returns the target.
        loader, is_valid_file: not supported, images were judged and decoded when packing.
        allow_empty: accepted for compatibility; ``fastload pack --allow-empty`` decides.
        split: the name of a split that ``fastload split`` made, as ``"folds5"``, or a
            :class:`~fastload.Split`; the dataset then has one part of it alone, classes and labels
            being the whole pack's.
        fold: which fold validates; a hold-out needs none.
        part: ``"train"`` or ``"val"``.

    Attributes:
        classes: names of the classes, sorted.
        class_to_idx: label of each class.
        samples, imgs: (path, label) of each image.
        targets: label of each image; -1 where the pack is unlabelled, and has no classes.
        class_counts: how many images each class has here.
        part: in words, which part of a split it is; empty for the whole pack.

    Raises:
        PackError: ``root`` is no pack (a label folder has to be packed first), or it has no such
            split.
        ValueError: the split has no such fold or part.
        FileNotFoundError: there is no such folder.
    """

    def __init__(
        self,
        root: str | Path,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
        *,
        split: str | Split | None = None,
        fold: int | None = None,
        part: str | None = None,
    ) -> None:
        del allow_empty
        if loader is not None or is_valid_file is not None:
            given = "loader" if loader is not None else "is_valid_file"
            raise TypeError(
                f"fastload.ImageFolder takes no {given}: the images of a pack were chosen and "
                "decoded when it was written. Use transform= for what is done to an image and "
                "torch.utils.data.Subset to choose among them."
            )
        # As torchvision: the user's own type and form, with ~ opened in text.
        self.root = os.path.expanduser(root) if isinstance(root, str) else root  # noqa: PTH111
        self.transform = transform
        self.target_transform = target_transform
        self.pack: Pack = open_pack(self.root)
        self.classes = self.pack.classes
        self.class_to_idx = self.pack.class_to_idx
        counts = [entry.count for entry in self.pack.manifest.classes]
        self._ends = np.cumsum([len(self.pack)] if self.pack.manifest.unlabelled else counts)
        self.part = ""
        # The places of the samples among the pack's, ascending; None where they are all there.
        self._places: npt.NDArray[np.int64] | None = None
        if split is not None:
            self._keep_part(split, fold, part)
        elif fold is not None or part is not None:
            raise ValueError(
                f"fold={fold!r} and part={part!r} are of a split: name it, as split='folds5'. "
                f"{self.pack.root} has {', '.join(split_names(self.pack)) or 'none'}."
            )
        self._forget_process()

    def _keep_part(self, split: str | Split, fold: int | None, part: str | None) -> None:
        if not isinstance(split, (str, Split)):
            raise ValueError(
                f"split is {split!r}: it takes the name of one, as 'folds5', or what "
                "fastload.folds or fastload.holdout gives."
            )
        opened = open_split(self.pack, split) if isinstance(split, str) else split
        if opened.pack.manifest.index != self.pack.manifest.index:
            raise ValueError(f"The split is of {opened.pack.root}, not of the pack {self.root}.")
        if part is None:
            raise ValueError("A split needs part='train' or part='val'.")
        self._places = opened.part(fold, part)
        self._ends = np.searchsorted(self._places, self._ends)
        named = split if isinstance(split, str) else opened.words
        self.part = f"{part} of {named}" + ("" if fold is None else f", fold {fold}")

    def _forget_process(self) -> None:
        self._lowered: tuple[Transform | None, str, Pipeline] | None = None
        self._records: dict[str, int] | None = None
        self._batcher: Batcher | None = None
        self._checked: npt.NDArray[np.uint8] | None = None

    def __getstate__(self) -> dict[str, Any]:
        fleeting = ("_lowered", "_records", "_batcher", "_checked")
        return {name: value for name, value in self.__dict__.items() if name not in fleeting}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget_process()

    @property
    def samples(self) -> Samples:
        """(path, label) of each image, a lazy list."""
        return Samples(self)

    @samples.setter
    def samples(self, value: object) -> None:
        raise AttributeError(
            "samples cannot be replaced: choose among them with torch.utils.data.Subset."
        )

    @property
    def imgs(self) -> Samples:
        """The same as ``samples``."""
        return Samples(self)

    @property
    def targets(self) -> Targets:
        """Label of each image, a lazy list that NumPy takes as an array."""
        return Targets(self._ends, -1 if self.pack.manifest.unlabelled else 0)

    @targets.setter
    def targets(self, value: object) -> None:
        raise AttributeError(
            "targets cannot be replaced: change labels with target_transform, or choose among "
            "the samples with torch.utils.data.Subset."
        )

    @property
    def class_counts(self) -> npt.NDArray[np.int64]:
        """How many samples each class has: int64, shape (C,)."""
        return np.diff(self._ends, prepend=0)[: len(self.classes)]

    @property
    def pipeline(self) -> Pipeline:
        """The transform, lowered; made anew when it has been replaced or changed."""
        shown = repr(self.transform)
        if self._lowered is None or self._lowered[:2] != (self.transform, shown):
            self._lowered = (self.transform, shown, lower(self.transform))
        return self._lowered[2]

    @property
    def checked(self) -> npt.NDArray[np.uint8]:
        """uint8, one a record: not 0 once this process has found its checksum right."""
        if self._checked is None:
            self._checked = np.zeros(len(self.pack), np.uint8)
        return self._checked

    def loader(self, path: str) -> PILImage:
        """The image of one of ``samples``' paths, as torchvision's attribute of this name.

        Raises:
            FileNotFoundError: the pack has no image of this path.
        """
        if self._records is None:
            paths = self.pack.index.paths(range(len(self.pack)))
            self._records = {place: record for record, place in enumerate(paths)}
        record = self._records.get(os.path.relpath(path, self.root))
        if record is None:
            raise FileNotFoundError(f"{path} is not an image of the pack {self.root}.")
        return self._decode(record)

    def _decode(self, record: int) -> PILImage:
        try:
            return decode_record(self.pack, record)
        except (OSError, SyntaxError, ValueError, NativeError) as error:
            raise RecordError(
                record,
                self.pack.index.path(record),
                self.pack.shard_name(record),
                f"{type(error).__name__}: {error}",
            ) from error

    def __len__(self) -> int:
        return len(self.pack) if self._places is None else len(self._places)

    def records(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Record ids of samples.

        Args:
            indices: int64, shape (n,), each from 0 to ``len(self) - 1``.

        Returns:
            int64, shape (n,).
        """
        places = indices if self._places is None else self._places[indices]
        return self.pack.index.listing[places].astype(np.int64)

    def record(self, index: int) -> int:
        """Record id of one sample, 0 to ``len(self) - 1``."""
        place = index if self._places is None else int(self._places[index])
        return int(self.pack.index.listing[place])

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """One (sample, target), computed as torchvision does: the transform itself is called.

        Raises:
            IndexError: there is no such sample.
            RecordError: its bytes are damaged.
        """
        place = _checked_place(index, len(self))
        sample: Any = self._decode(self.record(place))
        target: Any = self.targets[place]
        if self.transform is not None:
            sample = self.transform(sample)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return sample, target

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Any, Any]]:
        """Many (sample, target) at once, computed by the native engine.

        torch's ``DataLoader`` asks for whole batches this way. What the transform draws is
        seeded from torch's generator, which torch seeds in each worker.
        """
        from fastload.view import checked_indices, view_of

        view = view_of(self)
        if view is None or not len(indices):
            return [self[index] for index in indices]
        seed = int(torch.empty((), dtype=torch.int64).random_().item())
        chosen = checked_indices(np.array(indices, np.int64), len(self))
        draws = Draws(seed, 0, np.arange(len(chosen), dtype=np.int64))
        flight = self._own_batcher().launch(view, [self.pipeline], chosen, draws)
        for error in flight.land(0.0).values():
            raise error
        return flight.samples()

    def _own_batcher(self) -> Batcher:
        in_worker = get_worker_info() is not None
        # A worker inherits its parent's batcher, but has one processor to itself at best.
        if self._batcher is None or (in_worker and self._batcher.threads > 1):
            threads = 1 if in_worker else usable_cpus()
            self._batcher = Batcher("native", threads, "exact", torch.device("cpu"), ahead=0)
        return self._batcher

    def __repr__(self) -> str:
        lines = [
            f"Dataset {type(self).__name__}",
            f"    Number of datapoints: {len(self)}",
            f"    Root location: {self.root}",
        ]
        if self.part:
            lines.append(f"    Part: {self.part}")
        if self.transform is not None or self.target_transform is not None:
            lines.append("    StandardTransform")
        for head, transform in (
            ("Transform: ", self.transform),
            ("Target transform: ", self.target_transform),
        ):
            if transform is not None:
                first, *rest = repr(transform).splitlines()
                lines += [head + first] + [" " * len(head) + line for line in rest]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """What notebooks show: images, classes and sizes, by the index alone."""
        from fastload.notebook import summary_html
        from fastload.summary import summary_of

        return summary_html(summary_of(self))


def _checked_place(index: int, length: int) -> int:
    place = int(index)
    if place < 0:
        place += length
    if not 0 <= place < length:
        raise IndexError(f"Index {index} is outside a dataset of {length} samples.")
    return place


class Targets(Sequence[int]):
    """The labels in ImageFolder's order: runs of equal labels, known from the class counts.

    Args:
        ends: where each run ends.
        first: label of the first run; the next ones follow.
    """

    def __init__(self, ends: npt.NDArray[np.int64], first: int = 0) -> None:
        self._ends = ends
        self._first = first

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = _checked_place(index, len(self))
        return self._first + int(np.searchsorted(self._ends, place, side="right"))

    def __iter__(self) -> Iterator[int]:
        return iter(self.__array__().tolist())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        counts = np.diff(self._ends, prepend=0)
        labels = np.repeat(np.arange(self._first, self._first + len(counts)), counts)
        return labels if dtype is None else labels.astype(dtype)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} labels of {len(self._ends) + min(self._first, 0)} classes>"


class Samples(Sequence[tuple[str, int]]):
    """(path, label) in ImageFolder's order; the path is the source's, put under the pack."""

    def __init__(self, dataset: ImageFolder) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    @overload
    def __getitem__(self, index: int) -> tuple[str, int]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, int]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, int] | list[tuple[str, int]]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = _checked_place(index, len(self))
        dataset = self._dataset
        path = dataset.pack.index.path(dataset.record(place))
        return os.path.join(dataset.root, path), dataset.targets[place]  # noqa: PTH118

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} samples of {self._dataset.root}>"
