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
RECIPES = {"train": TRAIN_UINT8, "train-float": TRAIN_FLOAT32, "eval": EVAL_UINT8}
"""Those of ``fastload.presets``, by their names there."""


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
        kind: of the photos: "jpeg" for the photos as they are, the others are in ``variants.py``.
        ranks: processes of so many threads each that share an epoch.
        rows: of the pack, where it is to have more than there are photos.
        x: where the job stands on its suite's axis, if that has one.
        x_name: the axis.

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
    kind: str = "jpeg"
    ranks: int = 1
    rows: int = 0
    x: float | None = None
    x_name: str = ""

    @property
    def reads(self) -> str:
        """The path of what is read, or written by ``pack``."""
        return self.packed or self.photos or self.crops

    @property
    def label(self) -> str:
        """The row's name in a table: peer and threads; on an axis, the place there too."""
        named = f"{self.peer} x{self.threads}"
        if self.x is None or self.x_name == "threads":
            return named
        return f"{named}, {self.x:,.0f} {self.x_name}"

    def as_dict(self) -> dict[str, Any]:
        """The job as JSON takes it."""
        return asdict(self)
