"""A batch as the model gets it: what a loader's seed and epoch give, and what was drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fastload.augment import Draws, Output, Pipeline
from fastload.balancing import EpochOrder
from fastload.batcher import Batcher
from fastload.explanation import named_transforms
from fastload.native.library import jpeg_encode
from fastload.sample import EpochCounter, OrderSampler, PermutationSampler
from fastload.survey.drawn import outline, words
from fastload.view import view_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastload.dataset import ImageFolder

__all__ = ["ModelBatch", "ModelSample", "batch_of", "levels_of", "sampler_of"]

_QUALITY = 85


@dataclass(frozen=True)
class ModelSample:
    """One sample of a batch.

    Attributes:
        sample: its number in the data set.
        corners: shape (4, 2): where it lies in the stored image, see ``drawn.outline``.
        words: its drawn parameters.
        picture: a JPEG file of what the model gets; None where that is no image.
        note: how the picture was made of values that are no levels of 0 to 255; or what the sample
            is, where that is no image.
    """

    sample: int
    corners: NDArray[np.float64]
    words: list[str]
    picture: bytes | None
    note: str


@dataclass(frozen=True)
class ModelBatch:
    """The first samples of an epoch.

    Attributes:
        seed, epoch, balance: which ones they are.
        output: container, dtype and shape of a sample that the engine hands over.
        suffix: transforms that run as torchvision's own; their draws are not known.
        samples: those that could be loaded, in order.
        failures: why the others could not.
    """

    seed: int
    epoch: int
    balance: str
    output: str
    suffix: list[str]
    samples: list[ModelSample]
    failures: list[str]


def batch_of(
    dataset: ImageFolder,
    pipeline: Pipeline,
    *,
    count: int,
    balance: str,
    seed: int,
    epoch: int = 0,
    threads: int,
) -> ModelBatch:
    """The first samples of ``DataLoader(dataset, shuffle=True, balance=balance, seed=seed)``.

    Args:
        dataset: not empty.
        pipeline: of the transform that the dataset would have.
        count: samples; fewer where an epoch has fewer.
        balance: as the loader takes it.
        seed: of the loader.
        epoch: which one.
        threads: that decode.

    Raises:
        ValueError: there is no such balance, or nothing to balance.
        FastloadError: no batch can be made.
    """
    view = view_of(dataset)
    assert view is not None
    chosen = sampler_of(dataset, balance, seed).order(epoch)[:count]
    draws = Draws(seed, epoch, np.arange(len(chosen), dtype=np.int64))
    batcher = Batcher("native", threads, "exact", torch.device("cpu"), ahead=0)
    try:
        flight = batcher.launch(view, [pipeline], chosen, draws)
        failures = flight.land(0.0)
        flight.drop(failures)
        made = [sample for sample, _ in flight.samples()]
    finally:
        batcher.close()
    sound = [row for row in range(len(chosen)) if row not in failures]
    *transforms, output = named_transforms(pipeline)
    return ModelBatch(
        seed,
        epoch,
        balance,
        output,
        transforms[len(transforms) - len(pipeline.suffix) :],
        _samples(dataset, pipeline, chosen[sound], made, draws, sound),
        [str(error) for error in failures.values()],
    )


def sampler_of(dataset: ImageFolder, balance: str, seed: int) -> OrderSampler:
    """What draws the epochs of such a loader.

    Raises:
        ValueError: there is no such balance, or nothing to balance.
    """
    order = EpochOrder(balance, None, None, None)
    if order.is_balanced:
        return order.sampler(dataset, seed, EpochCounter())
    return PermutationSampler(dataset, seed)


def _samples(
    dataset: ImageFolder,
    pipeline: Pipeline,
    chosen: NDArray[np.int64],
    made: list[Any],
    draws: Draws,
    rows: list[int],
) -> list[ModelSample]:
    index, records = dataset.pack.index, dataset.records(chosen)
    heights, widths = index.height[records], index.width[records]
    own = Draws(draws.seed, draws.epoch, draws.positions[rows])
    steps = pipeline.write_steps(pipeline.plan(own, heights, widths))
    found = []
    for row, (sample, image) in enumerate(zip(chosen.tolist(), made, strict=True)):
        size = int(heights[row]), int(widths[row])
        levels, note = levels_of(image, None if pipeline.suffix else pipeline.output)
        picture = None if levels is None else jpeg_encode(levels, _QUALITY)
        found.append(
            ModelSample(sample, outline(steps[row], *size), words(steps[row], *size), picture, note)
        )
    return found


def levels_of(sample: Any, output: Output | None) -> tuple[NDArray[np.uint8] | None, str]:
    """A sample as levels of 0 to 255, shape (height, width, 3); and how, or why not.

    Args:
        sample: a PIL image or a tensor (channels, height, width).
        output: what has made the values of levels; None where that is not known.
    """
    if not isinstance(sample, torch.Tensor):
        from PIL import Image

        if not isinstance(sample, Image.Image):
            return None, f"a {type(sample).__name__}, which cannot be shown"
        return np.asarray(sample.convert("RGB")), ""
    if sample.ndim != 3 or sample.shape[0] not in (1, 3):
        return None, f"a tensor of shape {tuple(sample.shape)}, which cannot be shown"
    planes, note = _planes(sample.as_subclass(torch.Tensor), output)
    colours = planes.expand(3, -1, -1)
    return np.ascontiguousarray(colours.permute(1, 2, 0).numpy()), note


def _planes(sample: torch.Tensor, output: Output | None) -> tuple[torch.Tensor, str]:
    if sample.dtype == torch.uint8:
        return sample, ""
    values = sample.to(torch.float32)
    if output is not None:
        return _looked_up(values, output.table.to(torch.float32)), "shown before normalisation"
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 1:
        note = f"values from {low:.2f} to {high:.2f}, stretched to be shown"
        values = (values - low) / max(high - low, 1e-12)
    else:
        note = "values from 0 to 1"
    return values.mul(255).round().to(torch.uint8), note


def _looked_up(values: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """The level whose value comes nearest, channel by channel."""
    levels = torch.empty(values.shape, dtype=torch.uint8)
    for channel, (plane, row) in enumerate(zip(values, table, strict=True)):
        ordered, places = row.sort()
        after = torch.searchsorted(ordered, plane.contiguous()).clamp(1, len(row) - 1)
        nearer = (plane - ordered[after - 1]) <= (ordered[after] - plane)
        levels[channel] = places[torch.where(nearer, after - 1, after)].to(torch.uint8)
    return levels
