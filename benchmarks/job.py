"""What a worker is asked to do, as plain data that travels as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

TRAIN_UINT8 = "RandomResizedCrop(224), flip, uint8"
TRAIN_FLOAT32 = "RandomResizedCrop(224), flip, ToTensor, Normalize"
WHOLE_UINT8 = "Resize((224, 224)), uint8"
EVAL_UINT8 = "Resize(256), CenterCrop(224), uint8"
DRAWN_CROPS = "bilinear, crops as RandomResizedCrop draws them"
MEAN_CROPS = "bilinear, crops of their mean size"
SIDE = 224


@dataclass(frozen=True)
class Job:
    """One task for one peer.

    Attributes:
        peer: name of the module in ``benchmarks.peers``.
        task: name of the function in it: ``load``, ``pack``, ``resize``, ``many`` ...
        recipe: the transform of ``load``, the crops of ``resize``.
        threads: threads or worker processes, whatever the peer calls them.
        photos: the label folder.
        packed: where the peer's own writer puts, or has put, its form of the photos.
        crops: ``.npz`` of uint8 crops (height, width, 3) for ``resize``.
        batch: images a batch.
        passes: how often one window goes over the photos or crops; hundred thousands of hashes,
            ten thousands of images to be ordered.

    """

    peer: str
    task: str
    recipe: str = ""
    threads: int = 1
    photos: str = ""
    packed: str = ""
    crops: str = ""
    batch: int = 128
    passes: int = 1

    @property
    def reads(self) -> str:
        """The path of what is read, or written by ``pack``."""
        return self.packed or self.photos or self.crops

    @property
    def label(self) -> str:
        """The row's name in a table: peer and threads."""
        return f"{self.peer} x{self.threads}"

    def as_dict(self) -> dict[str, Any]:
        """The job as JSON takes it."""
        return asdict(self)
