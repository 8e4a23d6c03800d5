"""Position embeddings against timm's own and against what must stay."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from train_ref.models.positions import resized_positions

timm_layers = pytest.importorskip("timm.layers", reason="timm is not installed (extra: train)")


@pytest.mark.parametrize(("before", "after"), [(14, 7), (14, 24), (8, 9)])
@pytest.mark.parametrize("front", [0, 1, 2, 5])
def test_a_grid_is_resized_as_timm_does(before: int, after: int, front: int) -> None:
    table = torch.randn(1, front + before**2, 6, generator=torch.Generator().manual_seed(0))
    ours = resized_positions(table, front + after**2)
    theirs = timm_layers.resample_abs_pos_embed(table, [after, after], num_prefix_tokens=front)
    torch.testing.assert_close(ours, theirs)
    flat = resized_positions(table[0], front + after**2)
    assert flat is not None
    torch.testing.assert_close(flat, theirs[0])


@given(before=st.integers(3, 12), after=st.integers(3, 12), front=st.integers(0, 2))
def test_a_constant_grid_and_its_dtype_stay(before: int, after: int, front: int) -> None:
    table = torch.ones(front + before**2, 3, dtype=torch.float16)
    table[:front] = 7
    resized = resized_positions(table, front + after**2)
    assert resized is not None
    assert resized.dtype == torch.float16
    assert (resized[:front] == 7).all()
    torch.testing.assert_close(resized[front:], torch.ones(after**2, 3, dtype=torch.float16))


def test_tables_with_other_tokens_in_front_are_left_alone() -> None:
    assert resized_positions(torch.zeros(1 + 196, 4), 49) is None
    assert resized_positions(torch.zeros(77, 4), 64) is None
