"""What a run has come to, as HTML pages that can be sent around: one a run, one for all folds."""

from __future__ import annotations

from train_ref.report.folds_page import write_folds
from train_ref.report.read_run import Run, read_run, runs_in
from train_ref.report.run_page import write_report

__all__ = ["Run", "read_run", "runs_in", "write_folds", "write_report"]
