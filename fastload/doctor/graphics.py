"""torch, the GPUs that it sees, and what making batches on them needs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastload.doctor.finding import Finding, good, lack, note

__all__ = ["DRIVER", "look_at_graphics"]

DRIVER = Path("/proc/driver/nvidia/version")
"""Where NVIDIA's driver tells its version."""


def look_at_graphics(driver: Path = DRIVER) -> Iterator[Finding]:
    """How long torch takes to import, and each GPU."""
    start = time.perf_counter()
    try:
        import torch
    except (ImportError, OSError) as error:
        yield lack("torch", f"does not load: {error}", "pip install --force-reinstall torch")
        return
    seconds = time.perf_counter() - start
    yield good("torch's import", f"{seconds:.1f} s, {torch.get_num_threads()} threads for its own")
    yield from _devices(torch, driver)


def _devices(torch: Any, driver: Path) -> Iterator[Finding]:
    built = torch.version.cuda
    if not torch.cuda.is_available():
        yield _no_device(built, driver)
        return
    for number in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(number)
        yield good(
            f"GPU {number}",
            f"{device.name}, {device.total_memory / 1e9:.0f} GB, compute capability "
            f"{device.major}.{device.minor}, torch's CUDA {built}",
        )
    if find_spec("triton") is None:
        yield note(
            "Triton",
            'not installed: engine="native" decodes on the CPU and copies the batches',
            "pip install triton",
        )
    else:
        yield good("Triton", "installed: DataLoader(device='cuda') makes batches on the GPU")


def _no_device(built: str | None, driver: Path) -> Finding:
    if not driver.is_file():
        return note("GPU", "none (no NVIDIA driver on this machine): everything runs on the CPU")
    if built is None:
        return lack(
            "GPU",
            "there is an NVIDIA driver, but this torch is built for the CPU alone",
            "install torch's CUDA build: https://pytorch.org/get-started/locally",
        )
    return lack(
        "GPU",
        f"there is an NVIDIA driver, but torch (CUDA {built}) sees no device",
        "nvidia-smi says whether driver and device work; in a container: docker run --gpus all; "
        "CUDA_VISIBLE_DEVICES may hide it",
    )
