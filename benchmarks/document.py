"""What a run adds to pytest-benchmark's JSON: the photos, and the entrants that could not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.measurement import Measurement
from benchmarks.photos import Photos
from fastload.cpus import usable_cpus


def of_run(
    measurements: Sequence[Measurement],
    photos: Mapping[str, Photos],
    rounds: int,
    smoke: bool,
    notes: Sequence[str],
) -> dict[str, Any]:
    """The document's "fastload" part."""
    return {
        "photos": {kind: found.as_dict() for kind, found in photos.items()},
        "rounds": rounds,
        "cpus": usable_cpus(),
        "smoke": smoke,
        "failed": [asdict(one.failure()) for one in measurements if one.error],
        "notes": list(notes),
    }
