"""What a batch is fed to a graph with: JPEG files cut to the rows needed, pixels, parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastload.augment import Pipeline, Plan
from fastload.augment.crop import CenterCrop
from fastload.augment.op import Columns, Op, Sizes
from fastload.augment.resized_crop import RandomResizedCrop
from fastload.augment.steps import StepKind, empty_steps
from fastload.engines.dali.graph import (
    ENCODED,
    IS_ENCODED,
    PIXELS,
    WINDOW,
    Recipe,
    input_name,
)
from fastload.engines.pool import ITEM, OutputDtype, OutputLayout, Pool, PoolOutput
from fastload.engines.protocol import Work
from fastload.native.cuts import CUT, Arena
from fastload.store import Codec

__all__ = ["Feed", "feed_of", "first_feed"]

Rows = npt.NDArray[np.int64]
Windows = npt.NDArray[np.int64]

_LEVELS = PoolOutput(OutputDtype.UINT8, OutputLayout.INTERLEAVED, channels=3, table=0)
_NO_FILE = np.zeros(1, np.uint8)
_NO_PIXELS = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True)
class Feed:
    """A batch's inputs, by name.

    Attributes:
        rows: int64, shape (k,): the rows of the work that are fed, in order.
        inputs: one array, or a list of arrays, for each input.
        work: whose pack the JPEG files lie in, those that were not cut.
        arena: where the others lie. Both must live until the batch has come out.
    """

    rows: Rows
    inputs: dict[str, Any]
    work: Work
    arena: Arena


def feed_of(work: Work, rows: Rows, recipe: Recipe, pool: Pool, arena: Arena) -> Feed:
    """Gather a batch.

    Rows whose bytes are not those packed, or that cannot be read, are left out.

    Args:
        work: the batch.
        rows: of the work: those to be fed.
        recipe: of the graph.
        pool: decodes what is no JPEG.
        arena: for the cut files.
    """
    part = work.take(rows)
    windows = _windows(part.pipeline, part.plan, part)
    encoded = (part.pack.index.codec[part.records] == Codec.JPEG) & recipe.decodes
    files, tops, fit = _files(part, windows, encoded, arena)
    pixels, decoded = _pixels(part, windows, ~encoded, pool)
    kept = np.flatnonzero(np.where(encoded, fit, decoded))
    inputs: dict[str, Any] = {PIXELS: [pixels[row] for row in kept]}
    if recipe.decodes:
        start = windows[:, :2].copy()
        start[:, 0] -= tops
        inputs |= {
            ENCODED: [files[row] for row in kept],
            IS_ENCODED: encoded[kept],
            WINDOW[0]: start[kept].astype(np.int32),
            WINDOW[1]: windows[kept, 2:].astype(np.int32),
        }
    inputs |= _parameters(part.pipeline, part.plan.take(kept), part, kept, windows, recipe)
    return Feed(rows[kept], inputs, work, arena)


def first_feed(recipe: Recipe, feed: Feed) -> Feed:
    """The first image of a batch alone, to try a graph with."""
    first = {name: values[:1] for name, values in feed.inputs.items()}
    return replace(feed, rows=feed.rows[:1], inputs=first)


def _windows(pipeline: Pipeline, plan: Plan, work: Work) -> Windows:
    """The box of each image that the first operation needs: top, left, height, width."""
    index = work.pack.index
    heights = index.height[work.records].astype(np.int64)
    widths = index.width[work.records].astype(np.int64)
    whole = np.stack([np.zeros_like(heights), np.zeros_like(widths), heights, widths], axis=1)
    op: Op | None = pipeline.ops[0] if pipeline.ops else None
    if not isinstance(op, (RandomResizedCrop, CenterCrop)):
        return whole
    box = np.stack([plan.columns[0][name] for name in ("top", "left", "height", "width")], axis=1)
    first = np.maximum(box[:, :2], 0)
    last = np.minimum(box[:, :2] + box[:, 2:], whole[:, 2:])
    return np.concatenate([first, last - first], axis=1)


def _files(
    work: Work, windows: Windows, encoded: npt.NDArray[np.bool_], arena: Arena
) -> tuple[list[Any], Rows, npt.NDArray[np.bool_]]:
    """The JPEG files, cut: each row's bytes, the image's row that it begins with, and whether."""
    count = len(encoded)
    files: list[Any] = [_NO_FILE] * count
    tops, fit = np.zeros(count, np.int64), np.zeros(count, np.bool_)
    rows = np.flatnonzero(encoded)
    if not len(rows):
        return files, tops, fit
    records = work.records[rows]
    cuts = np.zeros(len(rows), CUT)
    cuts["payload"], cuts["length"] = work.pack.locate(records)
    cuts["verified"] = work.checked.ctypes.data + records.astype(np.uint64)
    cuts["crc32c"] = work.pack.index.crc32c[records]
    cuts["first"] = windows[rows, 0]
    cuts["last"] = windows[rows, 0] + windows[rows, 2]
    views = arena.cut(cuts)
    for row, view in zip(rows.tolist(), views, strict=True):
        files[row] = view
    tops[rows], fit[rows] = cuts["top"], cuts["status"] == 0
    return files, tops, fit


def _pixels(
    work: Work, windows: Windows, wanted: npt.NDArray[np.bool_], pool: Pool
) -> tuple[list[Any], npt.NDArray[np.bool_]]:
    """The windows of records that are no JPEG, decoded by the native library."""
    count = len(wanted)
    pixels: list[Any] = [_NO_PIXELS] * count
    decoded = np.zeros(count, np.bool_)
    rows = np.flatnonzero(wanted)
    if not len(rows):
        return pixels, decoded
    sizes = windows[rows, 2] * windows[rows, 3] * 3
    ends = np.cumsum(sizes)
    memory = np.empty(int(ends[-1]), np.uint8)
    steps, block = empty_steps(len(rows), 1)
    block.kind[:] = StepKind.CROP
    block.i[:, 0, :4] = windows[rows]
    items = _items(work, rows, windows)
    items["steps"] = steps.ctypes.data + np.arange(len(rows), dtype=np.uint64) * steps.strides[0]
    items["out"] = memory.ctypes.data + (ends - sizes).astype(np.uint64)
    job = pool.submit(items, _LEVELS, fast=False, cache=work.cache)
    job.wait(-1)
    job.close()
    decoded[rows] = items["status"] == 0
    for row, end, size in zip(rows.tolist(), ends.tolist(), sizes.tolist(), strict=True):
        pixels[row] = memory[end - size : end].reshape(*windows[row, 2:], 3)
    return pixels, decoded


def _items(work: Work, rows: Rows, windows: Windows) -> npt.NDArray[Any]:
    index, records = work.pack.index, work.records[rows]
    items = np.zeros(len(rows), ITEM)
    items["payload"], items["length"] = work.pack.locate(records)
    items["codec"] = index.codec[records]
    items["crc32c"] = index.crc32c[records]
    items["step_count"] = 1
    items["out_height"], items["out_width"] = windows[rows, 2], windows[rows, 3]
    items["verified"] = work.checked.ctypes.data + records.astype(np.uint64)
    items["key"], items["next_use"] = work.keys[rows], work.next_uses[rows]
    return items


def _parameters(
    pipeline: Pipeline,
    plan: Plan,
    work: Work,
    kept: Rows,
    windows: Windows,
    recipe: Recipe,
) -> dict[str, Any]:
    index, records = work.pack.index, work.records[kept]
    sizes = Sizes(index.height[records], index.width[records])
    inputs: dict[str, Any] = {}
    for place, part in enumerate(recipe.parts):
        columns: Columns = plan.columns[place]
        fed = part.feed(columns, sizes)
        if place == 0 and "start" in fed:
            fed["start"] = (fed["start"] - windows[kept, :2]).astype(np.int32)
        inputs |= {input_name(place, name): fed[name] for name in recipe.inputs_of(place)}
    return inputs
