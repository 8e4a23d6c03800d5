"""A stand-in for the native pool that does with Pillow what items, steps and outputs say.

It reads them from memory by address, as the native threads do, and so checks what the native engine
hands over: an oracle for both sides of the C door.
"""

from __future__ import annotations

import ctypes
import io
from typing import Any

import numpy as np
from PIL import Image

from fastload.augment.steps import STEP, StepKind
from fastload.engines.pool import JobFacts, OutputDtype, OutputLayout, PoolOutput
from fastload.native.library import crc32c, qoi_decode
from fastload.store import Codec
from tests.augment.test_steps import interpreted

WIDTHS = {
    OutputDtype.UINT8: np.uint8,
    OutputDtype.FLOAT16: np.uint16,
    OutputDtype.BFLOAT16: np.uint16,
    OutputDtype.FLOAT32: np.uint32,
}


def memory(address: int, size: int) -> Any:
    return (ctypes.c_uint8 * size).from_address(int(address))


def run(item: Any, output: PoolOutput) -> None:
    """Compute one item; the values are moved as bits."""
    payload = bytes(memory(item["payload"], item["length"]))
    flag = memory(item["verified"], 1)
    if not flag[0] and crc32c(payload) != item["crc32c"]:
        raise ValueError("checksum mismatch")
    flag[0] = 1
    if item["codec"] == Codec.QOI:
        image = Image.fromarray(qoi_decode(payload))
    else:
        image = Image.open(io.BytesIO(payload)).convert("RGB")
    steps = np.frombuffer(memory(item["steps"], item["step_count"] * STEP.itemsize), STEP)
    erasing = steps["kind"] == StepKind.ERASE
    pixels = np.asarray(interpreted(image, steps[~erasing]))[:, :, : output.channels]
    if pixels.shape[:2] != (item["out_height"], item["out_width"]):
        raise ValueError(f"{pixels.shape} is not the size of the output")
    if erasing.any():
        raise NotImplementedError("erasing is tested with the native pool itself")
    kind = np.dtype(WIDTHS[output.dtype])
    values = pixels.astype(kind)
    if output.table:
        size = output.channels * 256 * kind.itemsize
        table = np.frombuffer(memory(output.table, size), kind).reshape(output.channels, 256)
        values = table[np.arange(output.channels), pixels]
    if output.layout == OutputLayout.PLANAR:
        values = values.transpose(2, 0, 1)
    out = np.frombuffer(memory(item["out"], values.nbytes), kind).reshape(values.shape)
    out[:] = values


class InterpretedJob:
    def __init__(self, items: np.ndarray, output: PoolOutput) -> None:
        for item in items:
            try:
                run(item, output)
            except (OSError, ValueError) as error:
                item["status"] = 4
                item["message"] = str(error).encode()

    def wait(self, milliseconds: int) -> bool:
        return True

    def facts(self) -> JobFacts:
        return JobFacts()

    def close(self) -> None:
        pass


class InterpretedPool:
    def __init__(self, threads: int) -> None:
        pass

    def submit(
        self, items: np.ndarray, output: PoolOutput, *, fast: bool, cache: object = None
    ) -> InterpretedJob:
        return InterpretedJob(items, output)

    def close(self) -> None:
        pass
