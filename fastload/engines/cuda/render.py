"""The way of a batch through the kernels."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fastload.augment import Output
from fastload.engines.cuda.columns import BOX, PASS, PLANE
from fastload.engines.cuda.output import write_output
from fastload.engines.cuda.pixel_steps import colour_phase
from fastload.engines.cuda.resize import resample
from fastload.engines.cuda.tables import TILE, Programs, Tables, views
from fastload.engines.cuda.unpack import unpack_blocks
from fastload.engines.cuda.upsample_colour import upsample_colour

__all__ = ["render"]

# Triton compiles a kernel when it is first launched, and its interpreter replaces parts of its
# language meanwhile: one thread at a time.
_LAUNCHING = threading.Lock()

# A product fused with its sum would round once where Pillow rounds twice.
_EXACT = {"enable_fp_fusion": False}


def render(
    arena: torch.Tensor,
    used: int,
    programs: Programs,
    size: int,
    steps: npt.NDArray[Any],
    output: Output,
    images: torch.Tensor,
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
    """
    count = len(images)
    memory = torch.empty(-(-size // 16) * 16, dtype=torch.uint8, device=images.device)
    memory[:used].copy_(arena[:used], non_blocking=True)
    tables = views(memory, count, steps, output)
    levels = memory[size - count * 3 * images.shape[2] * images.shape[3] : size]
    with _LAUNCHING:
        _make_levels(memory, tables, programs)
        _change_colours(levels, tables, programs.phases, count)
        _write(levels, tables, images)


def _rows(table: torch.Tensor, names: tuple[str, ...], total: int) -> torch.Tensor:
    """The row of a table that each program works for: int32, shape (total,)."""
    rows = torch.arange(len(table), dtype=torch.int32, device=table.device)
    # With the size given, nothing waits for the counts.
    counts = table[:, names.index("programs")]
    return torch.repeat_interleave(rows, counts, output_size=total)


def _make_levels(memory: torch.Tensor, tables: Tables, programs: Programs) -> None:
    halves, words = memory.view(torch.int16), memory.view(torch.int32)
    if programs.blocks:
        rows = _rows(tables.planes, PLANE, programs.blocks)
        unpack_blocks[(programs.blocks,)](memory, halves, words, tables.planes, rows)
        rows = _rows(tables.boxes, BOX, programs.boxes)
        upsample_colour[(programs.boxes,)](memory, tables.boxes, rows, tables.planes, TILE=TILE)
    for table, total in zip(
        (tables.first_pass, tables.second_pass), programs.passes, strict=True
    ):
        if total:
            rows = _rows(table, PASS, total)
            resample[(total,)](memory, words, table, rows, TILE=TILE)


def _change_colours(levels: torch.Tensor, tables: Tables, phases: int, images: int) -> None:
    pixels = len(levels) // (3 * images)
    lumas = torch.zeros((phases + 1, images), dtype=torch.int64, device=levels.device)
    for phase in range(phases):
        colour_phase[(-(-pixels // TILE), images)](
            levels,
            tables.kinds,
            tables.factors,
            tables.bounds,
            lumas,
            PHASE=phase,
            STEPS=tables.kinds.shape[1],
            pixels=pixels,
            TILE=TILE,
            **_EXACT,
        )


def _write(levels: torch.Tensor, tables: Tables, images: torch.Tensor) -> None:
    count, channels, height, width = images.shape
    write_output[(-(-height * width // TILE), count)](
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
        TILE=TILE,
    )
