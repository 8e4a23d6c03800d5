"""A loader that goes on in a forked process."""

from __future__ import annotations

from typing import Any

import torch

import fastload


def in_child(loader: fastload.DataLoader, expected: torch.Tensor, result: Any) -> None:
    """Say through ``result`` whether the loader gives the images that its parent had."""
    torch.set_num_threads(1)  # torch's own threads do not survive a fork
    images = torch.cat([batch for batch, _ in loader])
    result.put(bool(torch.equal(images, expected)))
