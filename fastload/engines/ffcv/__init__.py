"""The engine on FFCV's decoder: its pipeline graph and compiled code, over the shards of a pack."""

from __future__ import annotations

from fastload.engines.ffcv.installed import require_ffcv

# Says what to install before any of the modules below asks for FFCV.
require_ffcv()

from fastload.engines.ffcv.engine import FfcvEngine  # noqa: E402
from fastload.engines.ffcv.pipelines import Outcome, PipelineRunner, SampleTable  # noqa: E402

__all__ = ["FfcvEngine", "Outcome", "PipelineRunner", "SampleTable"]
