"""Imports tried in a Python of their own: one that crashes or hangs ends that one alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

__all__ = ["cause_of_failure"]

# Importing torch from a network drive takes a minute at times.
_PATIENCE_SECONDS = 120


def cause_of_failure(statement: str, seconds: float = _PATIENCE_SECONDS) -> str | None:
    """Why a statement cannot be run in a new Python, in one line; None where it can.

    Args:
        statement: Python code.
        seconds: after which it counts as hanging.

    >>> cause_of_failure("import json")
    >>> cause_of_failure("import nothing_of_that_name")
    "ModuleNotFoundError: No module named 'nothing_of_that_name'"
    """
    try:
        result = subprocess.run(
            [sys.executable, "-c", statement],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {seconds:g} s"
    if result.returncode < 0:
        return f"killed by {signal.Signals(-result.returncode).name}"
    if result.returncode:
        lines = result.stderr.strip().splitlines()
        return lines[-1] if lines else f"exit code {result.returncode}"
    return None
