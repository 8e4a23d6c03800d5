"""`.dct` records of any sampling, made of random coefficients by the rules of docs/format.md."""

from __future__ import annotations

import struct

import numpy as np

GREY, YCC, RGB = 0, 1, 2


def packed_block(block: np.ndarray) -> bytes:
    """The AC coefficients of a block, int of shape (8, 8)."""
    ac = block.copy()
    ac[0, 0] = 0
    if not ac.any():
        return b""
    rows = [y for y in range(8) if ac[y].any()]
    masks = [sum(1 << x for x in range(8) if ac[y, x]) for y in rows]
    values = [int(v) for v in ac.ravel() if v]
    highs = [(v - ((v + 8) % 16 - 8)) // 16 for v in values]
    nibbles = bytes(
        sum((v & 15) << 4 * i for i, v in enumerate(values[at : at + 2]))
        for at in range(0, len(values), 2)
    )
    wide = bytes(
        sum((high != 0) << i for i, high in enumerate(highs[at : at + 8]))
        for at in range(0, len(values), 8)
    )
    parts = b"".join(struct.pack("b", high) for high in highs if high)
    return bytes([sum(1 << y for y in rows), *masks]) + nibbles + wide + parts


def packed_group(blocks: np.ndarray) -> bytes:
    """A group of blocks, int of shape (n, 8, 8)."""
    packed = [packed_block(block) for block in blocks]
    front = b"".join(struct.pack("<h", int(block[0, 0])) for block in blocks)
    return front + bytes(map(len, packed)) + b"".join(packed)


def up(value: int, divisor: int) -> int:
    return -(-value // divisor)


def record(
    width: int,
    height: int,
    colours: int,
    factors: list[tuple[int, int]],
    blocks: list[np.ndarray],
    quant: np.ndarray,
) -> bytes:
    """A whole record; ``blocks`` are of shape (block rows, blocks, 8, 8), ``quant`` (C, 64)."""
    most_across, most_down = (max(f[i] for f in factors) for i in (0, 1))
    sampling = bytes(16 * h + v for h, v in factors).ljust(3, b"\0")
    header = struct.pack(
        "<4s4BHH3sB", b"FDCT", 1, len(factors), colours, 0, width, height, sampling, 0
    )
    columns, rows = up(width, 8 * most_across), up(height, 8 * most_down)
    step, groups = 16 // most_across, []
    for row in range(rows):
        for first in range(0, columns, step):
            for (across, down), plane in zip(factors, blocks, strict=True):
                for here in range(row * down, (row + 1) * down):
                    cut = (
                        plane[here, first * across : (first + step) * across]
                        if here < len(plane)
                        else []
                    )
                    groups.append(packed_group(cut) if len(cut) else b"")
    lengths = b"".join(struct.pack("<H", len(group)) for group in groups)
    return header + quant.astype("<u2").tobytes() + lengths + b"".join(groups)


def random_record(
    rng: np.random.Generator, width: int, height: int, colours: int, factors: list[tuple[int, int]]
) -> bytes:
    """Smooth planes with some detail: what a photo's coefficients are like."""
    most_across, most_down = (max(f[i] for f in factors) for i in (0, 1))
    planes = []
    for across, down in factors:
        shape = (up(up(height * down, most_down), 8), up(up(width * across, most_across), 8), 8, 8)
        falls = 1 / (1 + np.add.outer(np.arange(8), np.arange(8))) ** 1.5
        plane = np.rint(rng.laplace(0, 25, shape) * falls).astype(np.int64)
        plane[..., 0, 0] = rng.integers(-60, 60, shape[:2])
        planes.append(plane)
    quant = rng.integers(1, 12, (len(factors), 64))
    return record(width, height, colours, factors, planes, quant)
