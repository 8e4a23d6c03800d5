"""Transforms, lowered to operations whose parameters are drawn ahead of the pixels."""

from __future__ import annotations

from fastload.augment.draws import Draws
from fastload.augment.lowering import lower
from fastload.augment.output import Container, Output
from fastload.augment.pipeline import Note, Pipeline, Plan

__all__ = ["Container", "Draws", "Note", "Output", "Pipeline", "Plan", "lower"]
