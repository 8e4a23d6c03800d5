"""Transforms, lowered to operations whose parameters are drawn ahead of the pixels."""

from __future__ import annotations

from fastload.augment.draws import Draws
from fastload.augment.lowering import lower
from fastload.augment.mixing import BatchMix, CutMix, MixUp, RandomMix
from fastload.augment.mixture import PairedTargets
from fastload.augment.output import Container, Output
from fastload.augment.pipeline import Note, Pipeline, Plan

__all__ = [
    "BatchMix",
    "Container",
    "CutMix",
    "Draws",
    "MixUp",
    "Note",
    "Output",
    "PairedTargets",
    "Pipeline",
    "Plan",
    "RandomMix",
    "lower",
]
