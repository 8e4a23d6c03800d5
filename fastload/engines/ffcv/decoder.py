"""FFCV's decoder with boxes that a plan has drawn, and which part of a pipeline it does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from ffcv.fields.rgb_image import RGBImageField, SimpleRGBImageDecoder
from ffcv.pipeline import PipelineSpec

from fastload.augment import Pipeline, Plan
from fastload.augment.resize import Resize
from fastload.augment.resized_crop import RandomResizedCrop
from fastload.engines.ffcv.kernels import decode_boxes
from fastload.engines.ffcv.reading import IMAGE, PackReader
from fastload.engines.ffcv.stages import Stages

__all__ = ["PLANNED", "planned_rows", "planned_stages", "resizes", "split_plan"]

PLANNED = np.dtype(
    [
        *IMAGE,
        ("out", "<u8"),
        *((name, "<i8") for name in ("top", "left", "box_height", "box_width")),
        *((name, "<i8") for name in ("out_height", "out_width")),
    ]
)
"""An image, its box, the size it is resized to (0: not at all) and where the result begins."""

# Pillow's number of the filter that FFCV's averaging of areas stands for.
_BILINEAR = 2


class _PlannedDecoder(SimpleRGBImageDecoder):  # type: ignore[misc]
    """Decodes, crops and resizes as the metadata say; memory comes with each call."""

    def declare_state_and_memory(self, previous_state: Any) -> tuple[Any, None]:
        return replace(previous_state, shape=(1,), dtype=np.dtype(np.int32)), None

    def generate_code(self) -> Any:
        return decode_boxes


def planned_stages() -> Stages:
    """FFCV's graph of the decoder alone; it serves any pack."""
    metadata = np.zeros(0, np.dtype([("f0", PLANNED)]))
    reader = PackReader("", {"image": RGBImageField()}, metadata)
    specs = {"image": PipelineSpec("image", decoder=_PlannedDecoder())}
    return Stages(reader, specs, compiled=True)


def resizes(pipeline: Pipeline) -> bool:
    """Whether FFCV does the pipeline's first operation: a bilinear resize of a box or of all."""
    first = pipeline.ops[0] if pipeline.ops else None
    return isinstance(first, (RandomResizedCrop, Resize)) and first.pillow_filter == _BILINEAR


def split_plan(pipeline: Pipeline, plan: Plan) -> tuple[Pipeline, Plan]:
    """What is left to do on the pixels that FFCV hands over."""
    done = int(resizes(pipeline))
    return replace(pipeline, ops=pipeline.ops[done:]), replace(plan, columns=plan.columns[done:])


def planned_rows(
    pipeline: Pipeline, plan: Plan, heights: npt.NDArray[Any], widths: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """What FFCV does with each image, still without places in memory.

    Args:
        pipeline: what is to be done.
        plan: with which parameters.
        heights: shape (n,), of the stored images.
        widths: shape (n,), of the stored images.

    Returns:
        dtype [("f0", PLANNED)], shape (n,).
    """
    metadata = np.zeros(len(plan), np.dtype([("f0", PLANNED)]))
    rows = metadata["f0"]
    rows["height"], rows["width"] = heights, widths
    rows["box_height"], rows["box_width"] = heights, widths
    if not resizes(pipeline):
        return metadata
    first, columns = pipeline.ops[0], plan.columns[0]
    if isinstance(first, RandomResizedCrop):
        rows["top"], rows["left"] = columns["top"], columns["left"]
        rows["box_height"], rows["box_width"] = columns["height"], columns["width"]
        rows["out_height"], rows["out_width"] = first.size
    else:
        rows["out_height"], rows["out_width"] = columns["height"], columns["width"]
    return metadata
