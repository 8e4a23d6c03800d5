"""docs/imbalance.md: its table is what the sampler does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from fastload import BalancedSampler
from tests.sample.test_balanced import LONG_LABELS, LONG_TAIL

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "imbalance.md").read_text()
ROWS = re.findall(
    r"^\| (`[^|]+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| (\d+) % \|$", PAGE, re.M
)


def arguments(words: str) -> dict[str, Any]:
    if "{label: 200}" in words:
        return {"balance": dict.fromkeys(range(19), 200)}
    balance, limit = re.match(r'`"([^"]+)"`(?:, `max_repeats=(\d+)`)?', words).groups()  # type: ignore[union-attr]
    return {"balance": balance, "max_repeats": int(limit) if limit else None}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_rows(row: tuple[str, ...]) -> None:
    words, length, *repeats, left_out = row
    sampler = BalancedSampler(LONG_LABELS, **arguments(words))
    draws = sampler.draws(0)
    assert len(sampler) == int(length)
    shown = [f"{draws[label] / LONG_TAIL[label]:.2f}" for label in (0, 8, 18)]
    assert shown == repeats
    assert int(left_out) == round(100 * max(0.0, 1 - draws[0] / LONG_TAIL[0]))


def test_all_rows_were_read() -> None:
    assert len(ROWS) == 8


def test_what_is_said_of_independent_draws() -> None:
    weights = torch.tensor(1 / LONG_TAIL[LONG_LABELS])
    generator = torch.Generator().manual_seed(0)
    draws = torch.multinomial(weights, 10 * 3457, replacement=True, generator=generator)
    epochs = draws.reshape(10, 3457)
    rare = torch.stack([torch.bincount(epoch, minlength=3457)[-3:] for epoch in epochs])
    assert rare.double().mean() == pytest.approx(61, abs=3)
    assert int(rare.min()) >= 40 and int(rare.max()) <= 85
    unseen = [
        (torch.bincount(part, minlength=3457)[:1405] == 0).double().mean()
        for part in (epochs[0], draws)
    ]
    assert unseen[0] == pytest.approx(0.87, abs=0.02)
    assert unseen[1] == pytest.approx(0.27, abs=0.03)
