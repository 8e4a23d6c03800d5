"""From DALI's 8-bit images to the tensor the trainer gets."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from nvidia.dali import fn, types

from fastload.augment import Container, Output

__all__ = ["finished", "output_key"]

_TYPES = {
    torch.uint8: types.UINT8,
    torch.float16: types.FLOAT16,
    # DALI has no bfloat16: torch rounds what it makes in single precision.
    torch.bfloat16: types.FLOAT,
    torch.float32: types.FLOAT,
}
# Units in the last place of single precision, of the largest value of a table.
_STRAIGHT = 4 * 2.0**-23


def output_key(output: Output, channels_last: bool) -> tuple[Any, ...]:
    """What of an output distinguishes one graph from another."""
    table = output.table.view(torch.uint8).numpy().tobytes()
    return output.container, output.channels, output.dtype, channels_last, table


def finished(images: Any, output: Output, channels_last: bool, mirror: Any) -> Any:
    """Images of the output's channels, values and layout.

    Args:
        images: uint8, height x width x 3.
        output: what is wanted.
        channels_last: whether the channels of a pixel lie beside each other.
        mirror: node, not 0 for images still to be mirrored; None for none.
    """
    if output.channels == 1:
        images = fn.slice(images, start=0, shape=1, axes=[2])
    if output.container is Container.PIL or (channels_last and output.is_levels):
        # A flip takes a tenth of the time of a normalisation that changes nothing.
        return images if mirror is None else fn.flip(images, horizontal=mirror)
    mean, std = _line(output)
    if std is None:
        if mirror is not None:
            images = fn.flip(images, horizontal=mirror)
        return _looked_up(images, output, channels_last)
    return fn.crop_mirror_normalize(
        images,
        dtype=_TYPES[output.dtype],
        output_layout="HWC" if channels_last else "CHW",
        mirror=0 if mirror is None else mirror,
        mean=mean,
        std=std,
    )


def _line(output: Output) -> tuple[list[float], list[float] | None]:
    """Mean and deviation of which the table is the normalisation, else None for the latter.

    Single precision decides: half precision rounds the same numbers once more.
    """
    if output.is_levels:
        return [0.0], [1.0]
    table = output.table.double().numpy()
    slopes = (table[:, 255] - table[:, 0]) / 255
    if output.dtype == torch.uint8 or not slopes.all():
        return [], None
    exact = table[:, :1] + slopes[:, None] * np.arange(256)
    precision = max(torch.finfo(output.dtype).eps, _STRAIGHT)
    if np.abs(exact - table).max() > precision * np.abs(table).max():
        return [], None
    return (-table[:, 0] / slopes).tolist(), (1 / slopes).tolist()


def _looked_up(images: Any, output: Output, channels_last: bool) -> Any:
    """Any table at all: its values channel by channel."""
    channels = [
        fn.lookup_table(
            images[:, :, place],
            keys=list(range(256)),
            values=values,
            dtype=_TYPES[output.dtype],
        )
        for place, values in enumerate(output.table.float().tolist())
    ]
    return fn.stack(*channels, axis=2 if channels_last else 0, axis_name="C")
