"""The way of a batch through the kernels."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
import triton

from fastload.augment import Output
from fastload.engines.cuda.columns import BOX, PASS, PLANE
from fastload.engines.cuda.output import write_output
from fastload.engines.cuda.pixel_steps import colour_phase
from fastload.engines.cuda.resize import resample
from fastload.engines.cuda.tables import Programs, Tables, views
from fastload.engines.cuda.unpack import unpack_blocks
from fastload.engines.cuda.upsample_colour import upsample_colour

__all__ = ["Shape", "render", "shape_for"]

# Triton compiles a kernel when it is first launched, and its interpreter replaces parts of its
# language meanwhile: one thread at a time.
_LAUNCHING = threading.Lock()

# A product fused with its sum would round once where Pillow rounds twice.
_EXACT = {"enable_fp_fusion": False}


@dataclass(frozen=True)
class Shape:
    """What a program does.

    Attributes:
        pieces: of packed blocks, each 16 x 8 lanes.
        tile: pixels, one a lane.
    """

    pieces: int
    tile: int


def shape_for(device: torch.device) -> Shape:
    """On the CPU, where programs are interpreted one by one, few and large ones.

    >>> shape_for(torch.device("cuda"))
    Shape(pieces=1, tile=1024)
    """
    return Shape(1, 1024) if device.type == "cuda" else Shape(64, 1 << 13)


def render(
    arena: torch.Tensor,
    used: int,
    programs: Programs,
    size: int,
    steps: npt.NDArray[Any],
    output: Output,
    images: torch.Tensor,
    shape: Shape,
) -> None:
    """Copy an arena to the device and begin the kernels that make its images.

    Args:
        arena: uint8, tables and gathered images.
        used: bytes of it.
        programs: how many each kernel needs.
        size: bytes of the memory that the kernels work in, see ``tables.py``.
        steps: dtype STEP, shape (n, steps).
        output: what comes out.
        images: the results, shape (n, channels, height, width), on the device.
        shape: of programs, which ``programs`` was counted for.
    """
    count = len(images)
    memory = torch.empty(-(-size // 16) * 16, dtype=torch.uint8, device=images.device)
    memory[:used].copy_(arena[:used], non_blocking=True)
    tables = views(memory, count, steps, output)
    levels = memory[size - count * 3 * images.shape[2] * images.shape[3] : size]
    with _LAUNCHING:
        _make_levels(memory, tables, programs, shape)
        _change_colours(levels, tables, programs.phases, count, shape.tile)
        _write(levels, tables, images, shape.tile)


def _rows(counts: torch.Tensor, total: int) -> torch.Tensor:
    """Which row of a table each program, or piece, belongs to: int32, shape (total,)."""
    rows = torch.arange(len(counts), dtype=torch.int32, device=counts.device)
    # With the size given, nothing waits for the counts.
    return torch.repeat_interleave(rows, counts, output_size=total)


def _make_levels(memory: torch.Tensor, tables: Tables, programs: Programs, shape: Shape) -> None:
    halves, words = memory.view(torch.int16), memory.view(torch.int32)
    planes, boxes, tile = tables.planes, tables.boxes, shape.tile
    if programs.pieces:
        rows = _rows(planes[:, PLANE.index("piece_count")], programs.pieces)
        unpack_blocks[(-(-programs.pieces // shape.pieces),)](
            memory, halves, words, planes, rows, programs.pieces, PIECES=shape.pieces
        )
        rows = _rows(boxes[:, BOX.index("programs")], programs.boxes)
        upsample_colour[(programs.boxes,)](memory, boxes, rows, planes, TILE=tile)
    for table, total in zip((tables.first_pass, tables.second_pass), programs.passes, strict=True):
        if total:
            rows = _rows(table[:, PASS.index("programs")], total)
            resample[(total,)](memory, words, table, rows, TILE=tile)


def _change_colours(
    levels: torch.Tensor, tables: Tables, phases: int, images: int, tile: int
) -> None:
    pixels = len(levels) // (3 * images)
    tile = min(tile, triton.next_power_of_2(pixels))
    lumas = torch.zeros((phases + 1, images), dtype=torch.int64, device=levels.device)
    for phase in range(phases):
        colour_phase[(-(-pixels // tile), images)](
            levels,
            tables.kinds,
            tables.factors,
            tables.bounds,
            lumas,
            PHASE=phase,
            STEPS=tables.kinds.shape[1],
            pixels=pixels,
            TILE=tile,
            **_EXACT,
        )


def _write(levels: torch.Tensor, tables: Tables, images: torch.Tensor, tile: int) -> None:
    count, channels, height, width = images.shape
    tile = min(tile, triton.next_power_of_2(height * width))
    write_output[(-(-height * width // tile), count)](
        levels,
        tables.flips,
        tables.table,
        tables.erased,
        tables.erased_values,
        images,
        *images.stride(),
        height,
        width,
        CHANNELS=channels,
        BOXES=tables.erased.shape[1],
        TILE=tile,
    )
