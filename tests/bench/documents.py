"""Small result documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastload.bench.results import Document, Failure, Photos, Result
from fastload.measure.machine import Machine

MACHINE = Machine("A processor", 2, ("avx2",), 16_000_000_000, "Linux 6.1", "3.11.7", 0.5)
PHOTOS = Photos("photos", 1000, 110_000_000, 468.0, 401.0, "JPEG of quality 96")


def result(label: str = "fastload x2", **changes: Any) -> Result:
    """One entrant of the suite "loader", with five rounds of about 1000 images a second."""
    peer = label.partition(" ")[0]
    values: dict[str, Any] = {
        "suite": "loader",
        "label": label,
        "peer": peer,
        "title": peer.replace("_", " "),
        "task": "load",
        "recipe": "RandomResizedCrop(224), flip, uint8",
        "threads": 2,
        "batch": 128,
        "photos": "jpeg",
        "form": "the very same JPEG files",
        "cache_state": "warm",
        "images": (4000,) * 5,
        "seconds": (4.0, 4.1, 3.9, 4.05, 3.95),
        "cpu_seconds": (7.9, 8.1, 7.7, 8.0, 7.8),
        "first_batch_seconds": (0.2,),
        "peak_pss_bytes": 200_000_000,
        "peak_anonymous_bytes": 90_000_000,
        "bytes_on_disk": 110_000_000,
        "packing_seconds": 2.5,
        "version": f"{peer} 1.0",
    }
    return Result(**{**values, **changes})


def at_rate(label: str, rate: float, noise: float = 0.02, seed: int = 0, **more: Any) -> Result:
    """An entrant with a median of about ``rate`` images a second and so much noise."""
    rounds = more.pop("rounds", 5)
    rates = rate * np.random.default_rng(seed).normal(1, noise, rounds)
    seconds = tuple(float(1000 / one) for one in rates)
    return result(label, images=(1000,) * rounds, seconds=seconds, cpu_seconds=seconds, **more)


def document(results: Sequence[Result], **changes: Any) -> Document:
    """A document of these results."""
    values: dict[str, Any] = {
        "file": "run.json",
        "machine": MACHINE,
        "commit": "0123456789abcdef",
        "dirty": False,
        "commit_time": "2026-11-28T10:00:00+00:00",
        "time": "2026-11-28T12:00:00+00:00",
        "photos": {"jpeg": PHOTOS},
        "rounds": 5,
        "smoke": False,
        "results": tuple(results),
    }
    return Document(**{**values, **changes})


def wide_document() -> Document:
    """Several suites, a scaling one among them, and a peer that failed."""
    loader = [
        at_rate("fastload_dct x2", 7500, form="its pack of codec dct", title="fastload, dct pack"),
        at_rate("fastload x2", 3500, form="its pack, lossless", title="fastload, JPEG pack"),
        *(
            at_rate(f"imagefolder x{n}", 500 + 40 * n, threads=n, title="ImageFolder")
            for n in range(1, 5)
        ),
        at_rate("dali x2", 850, title="DALI 2.4, CPU"),
    ]
    scaling = [
        at_rate(
            f"{peer} at {x}",
            rate * x**power,
            suite="index size",
            x=float(x),
            x_name="images in the index",
        )
        for peer, rate, power in (("fastload", 5000, 0.0), ("imagefolder", 60000, -0.5))
        for x in (1000, 65_536, 1_000_000)
    ]
    failed = [Failure("loader", "ffcv x2", "ffcv", "not installed: <b>no</b> compiler | here")]
    return document([*loader, *scaling], failed=failed, notes=["A note."])
