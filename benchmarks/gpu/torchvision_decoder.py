"""torchvision.io.decode_jpeg, a batch at a time, and torchvision's transforms on the device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torchvision.io import ImageReadMode, decode_jpeg, read_file
from torchvision.transforms import v2

from benchmarks.gpu.entrant import Entrant, Epoch
from benchmarks.gpu.setting import Setting


@contextmanager
def opened(setting: Setting) -> Iterator[Epoch]:
    """Whole images are decoded; each is cropped, flipped and resized on the device."""
    files = sorted(setting.photos.rglob("*.jp*g")) + sorted(setting.photos.rglob("*.JP*G"))
    steps = setting.transform().transforms
    cut, finish = v2.Compose(steps[:2]), v2.Compose(steps[3:])

    def epoch() -> Iterator[torch.Tensor]:
        order = torch.randperm(len(files)).tolist()
        for first in range(0, len(files), setting.batch):
            raw = [read_file(str(files[place])) for place in order[first : first + setting.batch]]
            yield finish(torch.stack([cut(image) for image in decoded(raw, setting)]))

    yield epoch


def decoded(raw: list[torch.Tensor], setting: Setting) -> list[torch.Tensor]:
    """uint8 images of shape (3, H, W); only the GPU's decoder takes a list."""
    if setting.on_gpu:
        return decode_jpeg(raw, mode=ImageReadMode.RGB, device=setting.device)
    return [decode_jpeg(one, mode=ImageReadMode.RGB) for one in raw]


def entrants() -> list[Entrant]:
    """It has one thread."""
    return [Entrant("torchvision.io.decode_jpeg", 1, opened)]
