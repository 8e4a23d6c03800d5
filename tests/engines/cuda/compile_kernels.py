"""Compiles every kernel for a GPU that need not be there: prints GPU, name and bytes of code.

python -m tests.engines.cuda.compile_kernels 80 90
"""

from __future__ import annotations

import sys

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from fastload.engines.cuda.output import write_output
from fastload.engines.cuda.pixel_steps import colour_phase
from fastload.engines.cuda.render import shape_for
from fastload.engines.cuda.resize import resample
from fastload.engines.cuda.unpack import unpack_blocks
from fastload.engines.cuda.upsample_colour import upsample_colour

SHAPE = shape_for(torch.device("cuda"))
BYTES, HALVES, WORDS, LONGS = "*u8", "*i16", "*i32", "*i64"

KERNELS = [
    (
        unpack_blocks,
        {
            "bytes_": BYTES,
            "halves": HALVES,
            "words": WORDS,
            "planes": LONGS,
            "plane_of": WORDS,
            "total": "i32",
        },
        {"PIECES": SHAPE.pieces},
    ),
    (
        upsample_colour,
        {"bytes_": BYTES, "boxes": LONGS, "box_of": WORDS, "planes": LONGS},
        {"TILE": SHAPE.tile},
    ),
    (
        resample,
        {"bytes_": BYTES, "words": WORDS, "passes": LONGS, "pass_of": WORDS},
        {"TILE": SHAPE.tile},
    ),
    *(
        (
            colour_phase,
            {
                "levels": BYTES,
                "kinds": WORDS,
                "factors": "*fp32",
                "bounds": WORDS,
                "lumas": LONGS,
                "STEPS": "i32",
                "pixels": "i32",
            },
            {"PHASE": phase, "TILE": SHAPE.tile},
        )
        for phase in (0, 1)
    ),
    *(
        (
            write_output,
            {
                "levels": BYTES,
                "flips": WORDS,
                "table": dtype,
                "boxes": WORDS,
                "values": dtype,
                "out": dtype,
                "image_stride": "i32",
                "channel_stride": "i32",
                "row_stride": "i32",
                "pixel_stride": "i32",
                "height": "i32",
                "width": "i32",
            },
            {"CHANNELS": 3, "BOXES": 1, "TILE": SHAPE.tile},
        )
        for dtype in ("*u8", "*fp16", "*bf16", "*fp32")
    ),
]


def main(capability: int) -> None:
    for kernel, signature, constants in KERNELS:
        source = ASTSource(
            kernel,
            {**signature, **dict.fromkeys(constants, "constexpr")},
            {(kernel.arg_names.index(name),): value for name, value in constants.items()},
        )
        target = GPUTarget("cuda", capability, 32)
        compiled = triton.compile(source, target=target, options={"enable_fp_fusion": False})
        assert f".target sm_{capability}" in compiled.asm["ptx"]
        print(capability, kernel.__name__, len(compiled.asm["cubin"]))


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        main(int(argument))
