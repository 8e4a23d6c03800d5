"""Position embeddings of a transformer for images of another size."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

__all__ = ["resized_positions"]


def resized_positions(positions: torch.Tensor, tokens: int) -> torch.Tensor | None:
    """Interpolate the embeddings of a square grid of patches to another square grid.

    As Dosovitskiy et al. (2021), section 3.2, do for fine-tuning at a higher resolution; bicubic,
    with antialiasing where the grid becomes smaller. Tokens in front of the grid, such as the
    class token, keep theirs.

    Args:
        positions: (tokens before, width) or (1, tokens before, width).
        tokens: how many there are to be.

    Returns:
        Of the same dimensions and dtype; None where the two are not grids with as many tokens
        in front.

    Example:
        >>> resized_positions(torch.zeros(1, 1 + 14 * 14, 8), 1 + 7 * 7).shape
        torch.Size([1, 50, 8])
    """
    table = positions.squeeze(0) if positions.ndim == 3 else positions
    side_before, side = math.isqrt(len(table)), math.isqrt(tokens)
    front = len(table) - side_before**2
    if front != tokens - side**2:
        return None
    grid = table[front:].float().reshape(1, side_before, side_before, -1).permute(0, 3, 1, 2)
    resized = F.interpolate(
        grid, size=(side, side), mode="bicubic", align_corners=False, antialias=True
    )
    patches = resized.permute(0, 2, 3, 1).reshape(side**2, -1).to(table.dtype)
    both = torch.cat([table[:front], patches])
    return both.unsqueeze(0) if positions.ndim == 3 else both
