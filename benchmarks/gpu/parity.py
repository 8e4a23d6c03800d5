"""The native engine's pixels on the device are those on the CPU, bit for bit."""

from __future__ import annotations

import torch

from benchmarks.gpu.fastload_engines import loader
from benchmarks.gpu.setting import Setting


def check_parity(setting: Setting) -> int:
    """Images that are the same; raises SystemExit where one is not."""
    checked = 0
    for pack in setting.packs:
        on_device = loader(setting, "native", pack, 2, 0, setting.device)
        on_cpu = loader(setting, "native", pack, 1, 0, None)
        for (made, _), (wanted, _) in zip(on_device, on_cpu, strict=True):
            if not torch.equal(made.cpu(), wanted):
                raise SystemExit(f"{pack}: pixels on {setting.device} are not those on the CPU")
            checked += len(made)
        on_device.close()
        on_cpu.close()
    return checked
