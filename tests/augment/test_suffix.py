"""Global generators are lent out and put back."""

from __future__ import annotations

import random

import numpy as np
import torch

from fastload.augment import Draws
from fastload.augment.suffix import seeded_rows


def draw_all() -> tuple[float, float, float]:
    return float(torch.rand(())), random.random(), float(np.random.rand())  # noqa: NPY002


def seeded(row: int, count: int = 4) -> tuple[float, float, float]:
    with seeded_rows(Draws(1, 2, np.arange(count))) as seed_row:
        seed_row(row)
        return draw_all()


def test_rows_are_reproducible_and_differ() -> None:
    assert seeded(0) == seeded(0)
    assert len({seeded(row) for row in range(4)}) == 4


def test_the_callers_generators_go_on_undisturbed() -> None:
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = draw_all()
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    seeded(3)
    assert draw_all() == expected


def test_they_are_put_back_after_an_error() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    try:
        with seeded_rows(Draws(1, 2, np.arange(1))) as seed_row:
            seed_row(0)
            raise KeyError
    except KeyError:
        pass
    assert torch.equal(torch.get_rng_state(), state)
