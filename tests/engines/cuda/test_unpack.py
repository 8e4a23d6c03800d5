"""Packed blocks of any coefficients become the samples that the native library makes of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fastload.augment.steps import empty_steps
from fastload.engines.cuda.columns import PLANE
from fastload.engines.cuda.gathered import BLOCKS, GATHERED, set_rooms
from fastload.engines.cuda.unpack import unpack_blocks
from fastload.engines.pool import ITEM, Pool
from fastload.native.library import NativeError, decode
from fastload.store import Codec
from tests.engines.cuda.records import GREY, YCC, packed_group, random_record, record


def unpacked(group: bytes, quant: np.ndarray, blocks: int) -> np.ndarray:
    """A group's samples by the kernel: uint8, shape (8, 8 * blocks)."""
    head = np.zeros(2, np.int32)
    head[1] = blocks
    parts = head.tobytes() + quant.astype("<u2").tobytes() + group
    samples = -(-len(parts) // 16) * 16
    memory = torch.zeros(samples + 64 * blocks, dtype=torch.uint8)
    memory[: len(parts)] = torch.frombuffer(bytearray(parts), dtype=torch.uint8)
    told = {
        "data": 8 + 128,
        "quant": 4,
        "samples": samples,
        "stride": 8 * blocks,
        "pieces": 0,
    }
    plane = torch.tensor([[told.get(name, 0) for name in PLANE]])
    views = memory, memory.view(torch.int16), memory.view(torch.int32)
    unpack_blocks[(1,)](*views, plane, torch.zeros(1, dtype=torch.int32), 1, PIECES=1)
    return memory[samples:].numpy().reshape(8, 8 * blocks)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    blocks=st.integers(1, 16),
    share=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
    most=st.sampled_from([1, 8, 60, 1023]),
    step=st.sampled_from([1, 40, 255, 65535]),
)
def test_any_coefficients(seed: int, blocks: int, share: float, most: int, step: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(-most, most + 1, (blocks, 8, 8)) * (rng.random((blocks, 8, 8)) < share)
    values[:, 0, 0] = rng.integers(-2048, 2048, blocks)
    quant = rng.integers(1, step + 1, (1, 64))
    made = record(8 * blocks, 8, GREY, [(1, 1)], [values[None]], quant)
    samples = unpacked(packed_group(values), quant, blocks)
    np.testing.assert_array_equal(samples, decode(made, Codec.DCT)[:, :, 0])


def gathered_status(payload: bytes, width: int, height: int) -> tuple[int, int]:
    """How gathering all of a record went: its status, and the kind."""
    data = np.frombuffer(payload, np.uint8)
    steps, _ = empty_steps(1, 1)
    told, items = np.zeros(1, GATHERED), np.zeros(1, ITEM)
    items["payload"], items["length"] = data.ctypes.data, len(data)
    items["codec"], items["out"] = Codec.DCT, told.ctypes.data
    items["steps"], items["step_count"] = steps.ctypes.data, 1
    items["out_height"], items["out_width"] = height, width
    arena = np.zeros(set_rooms(items, np.array([height]), np.array([width])), np.uint8)
    pool = Pool(1)
    job = pool.gather(items, arena.ctypes.data, len(arena), 0)
    assert job.wait(-1)
    assert job.arena_used() <= len(arena)
    job.close()
    pool.close()
    return int(items["status"][0]), int(told["kind"][0])


def is_readable(payload: bytes) -> bool:
    try:
        decode(payload, Codec.DCT)
    except NativeError:
        return False
    return True


@pytest.mark.parametrize("seed", range(4))
def test_damaged_groups_are_found_on_the_host(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = random_record(rng, 90, 40, YCC, [(2, 2), (1, 1), (1, 1)])
    assert gathered_status(whole, 90, 40) == (0, BLOCKS)
    found = 0
    for _ in range(60):
        damaged = bytearray(whole)
        # Behind the header: a record of another size is refused for that.
        damaged[rng.integers(16 + 3 * 128, len(whole))] ^= 1 << int(rng.integers(8))
        status, kind = gathered_status(bytes(damaged), 90, 40)
        assert (status == 0) == is_readable(bytes(damaged))
        assert (kind == 0) == (status != 0)
        found += status != 0
    assert found > 5
