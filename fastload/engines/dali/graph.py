"""The graph of a pipeline: decoder, operations, output.

It is built once for a pipeline's structure. All sizes and all that is drawn are inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from nvidia.dali import Pipeline as DaliPipeline
from nvidia.dali import fn, pipeline_def, types

from fastload.augment import Output, Pipeline
from fastload.augment.erase import RandomErasing
from fastload.augment.flip import HorizontalFlip
from fastload.augment.op import Op
from fastload.augment.resized_crop import RandomResizedCrop
from fastload.engines.dali.operations import Part, part_of
from fastload.engines.dali.output import finished, output_key

__all__ = [
    "ENCODED",
    "IS_ENCODED",
    "PIXELS",
    "WINDOW",
    "Recipe",
    "build",
    "input_name",
    "recipe_of",
]

ENCODED, PIXELS, IS_ENCODED = "encoded", "pixels", "is_encoded"
WINDOW = ("window_start", "window_shape")
"""The inputs of every graph: JPEG files, images decoded before, which of both, what to decode."""


def input_name(place: int, name: str) -> str:
    """What an operation's input is called in the graph."""
    return f"op{place}_{name}"


@dataclass(frozen=True)
class Recipe:
    """All that a graph is made of.

    Attributes:
        parts: of the operations, in order.
        decodes: whether DALI decodes the JPEG files, or is given their pixels.
        erasing_from: place of the first operation on the finished output.
        mirrored: whether the output's writing does the last of the others, a mirroring.
        boxed: whether the decoder has made the first operation's crop.
        output: what comes out.
        channels_last: whether the channels of a pixel lie beside each other.
    """

    parts: tuple[Part, ...]
    decodes: bool
    erasing_from: int
    mirrored: bool
    boxed: bool
    output: Output
    channels_last: bool

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal where the graph is the same."""
        parts = tuple(part.key for part in self.parts)
        return parts, self.decodes, self.boxed, output_key(self.output, self.channels_last)

    def inputs_of(self, place: int) -> tuple[str, ...]:
        """The inputs of an operation that the graph has."""
        names = self.parts[place].inputs
        if place == 0 and self.boxed:
            return tuple(name for name in names if name not in ("start", "shape"))
        return names


def recipe_of(pipeline: Pipeline, channels_last: bool, decodes: bool) -> Recipe:
    """What the graph of a pipeline is made of; `decodes` as in the recipe."""
    ops: tuple[Op, ...] = pipeline.ops
    pixel_ops = len(pipeline.pixel_ops)
    assert all(isinstance(op, RandomErasing) for op in ops[pixel_ops:])
    return Recipe(
        parts=tuple(map(part_of, ops)),
        decodes=decodes,
        erasing_from=pixel_ops,
        mirrored=pixel_ops > 0 and isinstance(ops[pixel_ops - 1], HorizontalFlip),
        boxed=pixel_ops > 0 and isinstance(ops[0], RandomResizedCrop),
        output=pipeline.output,
        channels_last=channels_last,
    )


def build(
    recipe: Recipe, device: torch.device, threads: int, batch_size: int, in_flight: int
) -> DaliPipeline:
    """Build a graph.

    Args:
        recipe: what of.
        device: where it computes.
        threads: of the CPU.
        batch_size: images a batch, at most.
        in_flight: batches under way at once.
    """
    on_gpu = device.type == "cuda"
    make = pipeline_def(_graph, enable_conditionals=True)
    pipeline: DaliPipeline = make(
        recipe,
        on_gpu,
        batch_size=batch_size,
        num_threads=threads,
        device_id=(device.index or 0) if on_gpu else None,
        prefetch_queue_depth=in_flight,
        exec_dynamic=True,
    )
    pipeline.build()
    return pipeline


def _graph(recipe: Recipe, on_gpu: bool) -> Any:
    images = _decoded(on_gpu) if recipe.decodes else _given(on_gpu)
    last = recipe.erasing_from - 1
    mirror = None
    for place in range(recipe.erasing_from):
        nodes = _inputs(recipe, place)
        if recipe.mirrored and place == last:
            mirror = nodes["flip"]
        else:
            images = recipe.parts[place].apply(images, nodes)
    images = finished(images, recipe.output, recipe.channels_last, mirror)
    for place in range(recipe.erasing_from, len(recipe.parts)):
        images = recipe.parts[place].apply(images, _inputs(recipe, place))
    return images


def _inputs(recipe: Recipe, place: int) -> dict[str, Any]:
    return {
        name: fn.external_source(name=input_name(place, name)) for name in recipe.inputs_of(place)
    }


def _decoded(on_gpu: bool) -> Any:
    """The pixels of the window that the first operation needs, height x width x 3."""
    # Lists of views: one padded array would save 5 us an image of some 2000, and nothing says
    # that decoders on a GPU ignore what follows a file's end. They live until the batch is out.
    encoded = fn.external_source(name=ENCODED, dtype=types.UINT8, ndim=1, no_copy=True)
    is_encoded = fn.external_source(name=IS_ENCODED, dtype=types.BOOL, ndim=0)
    start, shape = (fn.external_source(name=name, dtype=types.INT32, ndim=1) for name in WINDOW)
    if is_encoded:  # DALI makes a branch of the graph of it
        images = fn.decoders.image_slice(
            encoded,
            start,
            shape,
            device="mixed" if on_gpu else "cpu",
            axes=[0, 1],
            output_type=types.RGB,
            # As ImageFolder: the pixels as they lie, chroma as libjpeg makes it.
            adjust_orientation=False,
            jpeg_fancy_upsampling=True,
        )
    else:
        images = _given(on_gpu)
    return images


def _given(on_gpu: bool) -> Any:
    """The same window, decoded before."""
    # Copied: without operations behind them they may be what comes out.
    pixels = fn.external_source(name=PIXELS, dtype=types.UINT8, ndim=3, layout="HWC")
    return pixels.gpu() if on_gpu else pixels
